import { describe, expect, it } from '@jest/globals';
import type { Snapshot, Subject } from '@tollgate/api';
import { makeSnapshotStreams, type LineSink } from './snapshot-streams.ts';

const SUBJECT: Subject = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };

const setUp = () => {
  let version = 'one';
  let now = 0;
  const timers: (() => void)[] = [];
  const dropped: string[] = [];
  let compiled = 0;
  const streams = makeSnapshotStreams({
    onDropped: (reason) => dropped.push(reason),
    snapshotFor: (subject, routesOf): Snapshot => {
      compiled += 1;
      return {
        contract: 1,
        version,
        organisation: routesOf === undefined ? 'o' : `by the routes of ${routesOf.workload}`,
        subject,
        budgets: [],
        routes: [],
        prices: { version: 'p', rows: [], aliases: {} },
      };
    },
    timers: {
      after: (_ms, act) => {
        timers.push(act);
        return () => undefined;
      },
    },
    clock: () => now,
    epoch: () => 'e1',
  });
  const open = (instance: string, part: Partial<Subject> = {}) => {
    const sink = aSink();
    streams.open(instance, { ...SUBJECT, ...part }, sink);
    return sink;
  };
  const openFor = (instance: string, key: string, subject: () => Subject) => {
    const sink = aSink();
    streams.openFor(instance, { key, subject, routesOf: { ...SUBJECT, workload: 'gateway' } }, sink);
    return sink;
  };
  return {
    streams,
    openFor,
    dropped,
    compiled: () => compiled,
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
  let text = '';
  const sink = {
    lines: (): readonly string[] => text.split('\n').slice(0, -1),
    ended: false,
    destroyed: false,
    writableNeedDrain: false,
    writeHead: () => undefined,
    write: (piece: string | Buffer) => (text += piece.toString()) !== '',
    cork: () => undefined,
    uncork: () => undefined,
    end: () => {
      sink.ended = true;
    },
    destroy: () => {
      sink.destroyed = true;
    },
    on: (event: string, act: () => void) => handlers.set(event, act),
    emit: (event: string) => handlers.get(event)?.(),
  };
  return sink satisfies LineSink;
};

const versions = (sink: { lines(): readonly string[] }): readonly string[] =>
  sink.lines().map((line) => /"version":"(\w+)","organisation"/.exec(line)?.[1] ?? line.trim());

describe('snapshot streams', () => {
  it('send a snapshot at once, the next when it differs, and a heartbeat', () => {
    const { open, change, beat } = setUp();
    const sink = open('a');
    change('one');
    change('two');
    beat();
    beat();
    expect(versions(sink)).toEqual(['one', 'two', '{"ping":1,"epoch":"e1"}', '{"ping":1,"epoch":"e1"}']);
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
    expect([a.lines().length, b.lines().length]).toEqual([1, 3]);
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

  it('tell an instance that is another subject now what that subject gets, and leave the others alone', () => {
    const { streams, open } = setUp();
    const [a, b] = [open('a'), open('b')];
    streams.retell((instance) => (instance === 'a' ? { ...SUBJECT, labels: { tier: 'gold' } } : null));
    expect([a.lines().length, b.lines().length]).toEqual([1, 1]);
    expect([...streams.connected()].map(({ instance, subject }) => [instance, subject.labels])).toEqual([
      ['a', { tier: 'gold' }],
      ['b', {}],
    ]);
    expect(streams.classOf(SUBJECT)).toMatchObject({ version: 'one', budgets: [] });
  });

  it('compile once for all pods of a workload, and tell each its own name', () => {
    const { open, change, compiled } = setUp();
    const sinks = ['web-1', 'web-2', 'web-3'].map((pod) => open(pod, { pod }));
    const other = open('other', { workload: 'batch' });
    expect(compiled()).toBe(2);
    change('two');
    expect(compiled()).toBe(4);
    expect(sinks.map((sink) => JSON.parse(sink.lines()[1] ?? ''))).toMatchObject(
      ['web-1', 'web-2', 'web-3'].map((pod) => ({ contract: 1, version: 'two', subject: { ...SUBJECT, pod } })),
    );
    expect(JSON.parse(other.lines()[1] ?? '')).toMatchObject({ subject: { workload: 'batch' } });
  });

  it('let go of a reader that has not read for three heartbeats, and keep one that does in between', () => {
    const { open, beat, dropped, streams } = setUp();
    const [stuck, slow] = [open('stuck'), open('slow')];
    stuck.writableNeedDrain = true;
    slow.writableNeedDrain = true;
    beat();
    beat();
    slow.writableNeedDrain = false;
    beat();
    slow.writableNeedDrain = true;
    beat();
    expect([stuck.destroyed, slow.destroyed, dropped, streams.count()]).toEqual([true, false, ['slow'], 1]);
  });

  it('end the former stream of an instance that opens another one', () => {
    const { open, change, dropped, streams } = setUp();
    const [former, latter] = [open('a'), open('a')];
    former.emit('close');
    change('two');
    expect([former.ended, versions(former), versions(latter)]).toEqual([true, ['one'], ['one', 'two']]);
    expect([dropped, streams.count()]).toEqual([['replaced'], 1]);
  });
});

describe("the streams of a gateway's callers", () => {
  const SHOP: Subject = { ...SUBJECT, namespace: 'shop' };
  const BANK: Subject = { ...SUBJECT, namespace: 'bank' };
  const subjectOf = (sink: ReturnType<typeof aSink>): unknown =>
    (JSON.parse(sink.lines().at(-1) ?? '{}') as { subject?: { namespace: string } }).subject?.namespace;

  it('stand beside its own, one for each caller, with its routes', () => {
    const { open, openFor, streams, dropped } = setUp();
    const own = open('gateway');
    const shop = openFor('gateway', 'shop', () => SHOP);
    const bank = openFor('gateway', 'bank', () => BANK);
    expect([own, shop, bank].map(subjectOf)).toEqual(['default', 'shop', 'bank']);
    expect(shop.lines()[0]).toContain('by the routes of gateway');
    expect(own.lines()[0]).not.toContain('by the routes of');
    expect([streams.count(), dropped]).toEqual([3, []]);
    openFor('gateway', 'shop', () => SHOP);
    expect([shop.ended, bank.ended, own.ended, dropped]).toEqual([true, false, false, ['replaced']]);
  });

  it('are neither proxies of their own nor asked to give back', () => {
    const { open, openFor, streams } = setUp();
    const own = open('gateway');
    const shop = openFor('gateway', 'shop', () => SHOP);
    streams.recall({ budget: 'shop/a', limit: 'l', partition: '' }, 'other');
    expect([own.lines().length, shop.lines().length]).toEqual([2, 1]);
    expect([...streams.connected()].map(({ subject }) => subject.namespace)).toEqual(['default']);
  });

  it('follow changes, also of whom the caller speaks for', () => {
    const { openFor, streams, change } = setUp();
    let subject = SHOP;
    const sink = openFor('gateway', 'pod', () => subject);
    change('two');
    expect(sink.lines().at(-1)).toContain('"version":"two"');
    subject = BANK;
    streams.retell(() => null);
    // The same version in these tests, so nothing is sent until the next change.
    change('three');
    expect(subjectOf(sink)).toBe('bank');
  });

  it('is of no use to an instance whose name pretends to be one', () => {
    const { open, openFor, dropped } = setUp();
    openFor('gateway', 'shop', () => SHOP);
    for (const name of ['gateway shop', 'gatewayshop', 'gateway"shop']) open(name);
    expect(dropped).toEqual([]);
  });
});
