import { describe, expect, it } from '@jest/globals';
import type { Snapshot, Subject } from '@tollgate/api';
import { makeSnapshotStreams, type LineSink } from './snapshot-streams.ts';

const SUBJECT: Subject = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };

const setUp = () => {
  let version = 'one';
  let now = 0;
  const timers: (() => void)[] = [];
  const streams = makeSnapshotStreams({
    snapshotFor: (subject): Snapshot => ({
      contract: 1,
      version,
      organisation: 'o',
      subject,
      budgets: [],
      routes: [],
      prices: { version: 'p', rows: [], aliases: {} },
    }),
    timers: {
      after: (_ms, act) => {
        timers.push(act);
        return () => undefined;
      },
    },
    clock: () => now,
  });
  const open = (instance: string) => {
    const sink = aSink();
    streams.open(instance, SUBJECT, sink);
    return sink;
  };
  return {
    streams,
    open,
    change: (to: string) => {
      version = to;
      streams.refresh();
    },
    tick: (ms: number) => {
      now += ms;
    },
    beat: () => timers.shift()?.(),
  };
};

const aSink = () => {
  const handlers = new Map<string, () => void>();
  const sink = {
    lines: [] as string[],
    ended: false,
    writableNeedDrain: false,
    writeHead: () => undefined,
    write: (text: string) => sink.lines.push(text) > 0,
    end: () => {
      sink.ended = true;
    },
    on: (event: string, act: () => void) => handlers.set(event, act),
    emit: (event: string) => handlers.get(event)?.(),
  };
  return sink satisfies LineSink;
};

const versions = ({ lines }: { lines: readonly string[] }): readonly string[] =>
  lines.map((line) => /"version":"(\w+)","organisation"/.exec(line)?.[1] ?? line.trim());

describe('snapshot streams', () => {
  it('send a snapshot at once, the next when it differs, and a heartbeat', () => {
    const { open, change, beat } = setUp();
    const sink = open('a');
    change('one');
    change('two');
    beat();
    beat();
    expect(versions(sink)).toEqual(['one', 'two', '{"ping":1}', '{"ping":1}']);
  });

  it('keep the latest only for a reader that does not keep up', () => {
    const { open, change, beat, streams } = setUp();
    const sink = open('a');
    sink.writableNeedDrain = true;
    change('two');
    change('three');
    beat();
    streams.recall({ budget: 'b', limit: 'l', partition: '' }, 'x');
    expect(versions(sink)).toEqual(['one']);
    sink.writableNeedDrain = false;
    sink.emit('drain');
    sink.emit('drain');
    expect(versions(sink)).toEqual(['one', 'three']);
  });

  it('recall from everyone but the one that waits, and not again within a moment', () => {
    const { open, streams, tick } = setUp();
    const [a, b] = [open('a'), open('b')];
    const counter = { budget: 'b', limit: 'l', partition: '' };
    streams.recall(counter, 'a');
    streams.recall(counter, 'a');
    tick(250);
    streams.recall(counter, 'a');
    expect([a.lines.length, b.lines.length]).toEqual([1, 3]);
  });

  it('forget a reader that went, and end the others when they stop', () => {
    const { open, change, streams } = setUp();
    const [gone, stays] = [open('a'), open('b')];
    gone.emit('close');
    change('two');
    streams.stop();
    expect([versions(gone), gone.ended, versions(stays), stays.ended]).toEqual([['one'], false, ['one', 'two'], true]);
    expect(open('c').ended).toBe(true);
  });
});
