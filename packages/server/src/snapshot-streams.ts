import type { Subject } from '@tollgate/api';
import { counterKey, type CounterName } from '@tollgate/ledger';
import { encodePing, encodeRecall } from '@tollgate/ledger/wire';
import type { Timers } from '@tollgate/runtime';
import { lineEnd, makeSnapshotClasses, type SnapshotClass, type SnapshotFor } from './snapshot-classes.ts';

/**
 * The snapshot streams of all connected proxies: one snapshot at once, the next on each change that concerns that
 * subject, a heartbeat between. A reader that does not keep up gets the latest only, never a queue, and is let go when it
 * has not read for a while: it comes back, and a proxy that does not is none.
 */
export interface SnapshotStreams {
  /** Of one instance the last stream counts: an earlier one ends. Throws nothing; a full house ends it at once. */
  open(instance: string, subject: Subject, sink: LineSink): void;
  /** What one caller of a gateway needs: the same, beside the gateway's own, and nobody is asked to give back by it. */
  openFor(instance: string, caller: StreamedCaller, sink: LineSink): void;
  /** Compiles anew, once a class of subjects, and sends what differs. */
  refresh(): void;
  /** Asks all proxies but one to give back what they do not hold of a counter. False: they were asked a moment ago. */
  recall(counter: CounterName, except: string): boolean;
  count(): number;
  /** What a proxy of this subject gets now. `routesOf`: whose routes, where they are not the subject's own. */
  classOf(subject: Subject, routesOf?: Subject): SnapshotClass;
  /** Whom instances speak for may be another now, and so may be the snapshot of each; null: as it was. */
  retell(subjectOf: (instance: string) => Subject | null): void;
  /** Instances with a stream here, and whom each speaks for. */
  connected(): Iterable<{ readonly instance: string; readonly subject: Subject }>;
  stop(): void;
}

export interface StreamedCaller {
  /** One stream for each of an instance's callers. */
  readonly key: string;
  /** Whom it speaks for, as known now. */
  readonly subject: () => Subject;
  /** The gateway, whose routes its callers take. */
  readonly routesOf: Subject;
}

/** The part of an HTTP answer that is needed here. */
export interface LineSink {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string | Buffer): boolean;
  cork(): unknown;
  uncork(): unknown;
  end(): unknown;
  destroy(): unknown;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'close', act: () => void): unknown;
}

export interface SnapshotStreamsDeps {
  readonly snapshotFor: SnapshotFor;
  readonly timers: Timers;
  readonly clock: () => number;
  /** The epoch that is leased from. */
  readonly epoch: () => string;
  readonly onDropped?: (reason: 'slow' | 'replaced') => void;
}

interface Stream {
  readonly key: string;
  readonly instance: string;
  /** Null: the proxy itself. */
  readonly caller: StreamedCaller | null;
  subject: Subject;
  readonly sink: LineSink;
  /** Of the snapshot that was written last. */
  version: string;
  /** Heartbeats that found it not reading. */
  missed: number;
}

const PING_MS = 10_000;
const MOST_MISSED = 3;
/** Waiting calls ask again and again; their proxies' neighbours need not hear it each time. */
const RECALL_EVERY_MS = 200;

export const makeSnapshotStreams = ({
  snapshotFor,
  timers,
  clock,
  epoch,
  onDropped,
}: SnapshotStreamsDeps): SnapshotStreams => {
  const streams = new Map<string, Stream>();
  const classes = makeSnapshotClasses(snapshotFor);
  const recalled = new Map<string, number>();
  let stopped = false;

  /** What is in force now, where the reader does not have it yet; one that still reads the former gets it afterwards. */
  const bring = (stream: Stream): void => {
    const { version, bytes } = classes.of(stream.subject, stream.caller?.routesOf);
    if (version === stream.version || stream.sink.writableNeedDrain) return;
    stream.version = version;
    stream.sink.cork();
    stream.sink.write(bytes());
    stream.sink.write(lineEnd(stream.subject));
    stream.sink.uncork();
  };

  const drop = (stream: Stream, reason: 'slow' | 'replaced'): void => {
    if (streams.get(stream.key) === stream) streams.delete(stream.key);
    onDropped?.(reason);
    if (reason === 'slow') stream.sink.destroy();
    else stream.sink.end();
  };

  const beat = (): void => {
    for (const stream of [...streams.values()]) {
      if (!stream.sink.writableNeedDrain) {
        stream.missed = 0;
        stream.sink.write(encodePing(epoch()));
      } else if ((stream.missed += 1) >= MOST_MISSED) drop(stream, 'slow');
    }
    cancelBeat = timers.after(PING_MS, beat);
  };
  let cancelBeat = timers.after(PING_MS, beat);

  const begin = (opened: Pick<Stream, 'key' | 'instance' | 'caller' | 'subject' | 'sink'>): void => {
    const { key, sink } = opened;
    sink.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
    if (stopped) {
      sink.end();
      return;
    }
    const former = streams.get(key);
    if (former) drop(former, 'replaced');
    const stream: Stream = { ...opened, version: '', missed: 0 };
    streams.set(key, stream);
    sink.on('close', () => {
      if (streams.get(key) === stream) streams.delete(key);
    });
    sink.on('drain', () => bring(stream));
    bring(stream);
  };

  return {
    open: (instance, subject, sink) => begin({ key: instance, instance, caller: null, subject, sink }),
    openFor: (instance, caller, sink) =>
      // No name of an instance holds the line's end, so none passes for another's caller.
      begin({ key: `${instance}\n${caller.key}`, instance, caller, subject: caller.subject(), sink }),
    refresh: () => {
      classes.forget();
      for (const stream of streams.values()) bring(stream);
    },
    recall: (counter, except) => {
      const key = counterKey(counter);
      const now = clock();
      if (now - (recalled.get(key) ?? -Infinity) < RECALL_EVERY_MS) return false;
      if (recalled.size > 10_000) recalled.clear();
      recalled.set(key, now);
      const line = encodeRecall([counter]);
      for (const { instance, caller, sink } of streams.values()) {
        if (caller === null && instance !== except && !sink.writableNeedDrain) sink.write(line);
      }
      return true;
    },
    count: () => streams.size,
    classOf: classes.of,
    connected: () => [...streams.values()].filter(({ caller }) => caller === null),
    retell: (subjectOf) => {
      for (const stream of streams.values()) {
        const subject = stream.caller === null ? subjectOf(stream.instance) : stream.caller.subject();
        if (subject === null) continue;
        stream.subject = subject;
        bring(stream);
      }
    },
    stop: () => {
      stopped = true;
      cancelBeat();
      for (const { sink } of streams.values()) sink.end();
      streams.clear();
    },
  };
};
