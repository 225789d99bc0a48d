import type { Snapshot, Subject } from '@tollgate/api';
import { counterKey, type CounterName } from '@tollgate/ledger';
import { encodePing, encodeRecall } from '@tollgate/ledger/wire';
import type { Timers } from '@tollgate/runtime';
import { lineEnd, makeSnapshotClasses, type SnapshotClass } from './snapshot-classes.ts';

/**
 * The snapshot streams of all connected proxies: one snapshot at once, the next on each change that concerns that
 * subject, a heartbeat between. A reader that does not keep up gets the latest only, never a queue, and is let go when it
 * has not read for a while: it comes back, and a proxy that does not is none.
 */
export interface SnapshotStreams {
  /** Of one instance the last stream counts: an earlier one ends. Throws nothing; a full house ends it at once. */
  open(instance: string, subject: Subject, sink: LineSink): void;
  /** Compiles anew, once a class of subjects, and sends what differs. */
  refresh(): void;
  /** Asks all proxies but one to give back what they do not hold of a counter. False: they were asked a moment ago. */
  recall(counter: CounterName, except: string): boolean;
  count(): number;
  /** What a proxy of this subject gets now. */
  classOf(subject: Subject): SnapshotClass;
  /** Whom instances speak for may be another now, and so may be the snapshot of each; null: as it was. */
  retell(subjectOf: (instance: string) => Subject | null): void;
  /** Instances with a stream here, and whom each speaks for. */
  connected(): Iterable<{ readonly instance: string; readonly subject: Subject }>;
  stop(): void;
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
  readonly snapshotFor: (subject: Subject) => Snapshot;
  readonly timers: Timers;
  readonly clock: () => number;
  /** The epoch that is leased from. */
  readonly epoch: () => string;
  readonly onDropped?: (reason: 'slow' | 'replaced') => void;
}

interface Stream {
  readonly instance: string;
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
    const { version, bytes } = classes.of(stream.subject);
    if (version === stream.version || stream.sink.writableNeedDrain) return;
    stream.version = version;
    stream.sink.cork();
    stream.sink.write(bytes());
    stream.sink.write(lineEnd(stream.subject));
    stream.sink.uncork();
  };

  const drop = (stream: Stream, reason: 'slow' | 'replaced'): void => {
    if (streams.get(stream.instance) === stream) streams.delete(stream.instance);
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

  return {
    open: (instance, subject, sink) => {
      sink.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
      if (stopped) {
        sink.end();
        return;
      }
      const former = streams.get(instance);
      if (former) drop(former, 'replaced');
      const stream: Stream = { instance, subject, sink, version: '', missed: 0 };
      streams.set(instance, stream);
      sink.on('close', () => {
        if (streams.get(instance) === stream) streams.delete(instance);
      });
      sink.on('drain', () => bring(stream));
      bring(stream);
    },
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
      for (const { instance, sink } of streams.values()) {
        if (instance !== except && !sink.writableNeedDrain) sink.write(line);
      }
      return true;
    },
    count: () => streams.size,
    classOf: (subject) => classes.of(subject),
    connected: () => streams.values(),
    retell: (subjectOf) => {
      for (const stream of streams.values()) {
        const subject = subjectOf(stream.instance);
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
