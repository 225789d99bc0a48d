import type { Snapshot, Subject } from '@tollgate/api';
import { counterKey, type CounterName } from '@tollgate/ledger';
import { encodePing, encodeRecall } from '@tollgate/ledger/wire';
import type { Timers } from '@tollgate/runtime';

/**
 * The snapshot streams of all connected proxies: one snapshot at once, the next on each change that concerns that
 * subject, a heartbeat between. A reader that does not keep up gets the latest only, never a queue.
 */
export interface SnapshotStreams {
  open(instance: string, subject: Subject, sink: LineSink): void;
  /** Compiles anew for everyone, and sends what differs. */
  refresh(): void;
  /** Asks all proxies but one to give back what they do not hold of a counter. */
  recall(counter: CounterName, except: string): void;
  stop(): void;
}

/** The part of an HTTP answer that is needed here. */
export interface LineSink {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string): boolean;
  end(): unknown;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'close', act: () => void): unknown;
}

export interface SnapshotStreamsDeps {
  readonly snapshotFor: (subject: Subject) => Snapshot;
  readonly timers: Timers;
  readonly clock: () => number;
}

interface Stream {
  readonly instance: string;
  readonly subject: Subject;
  readonly sink: LineSink;
  version: string;
  pending: Snapshot | null;
}

const PING_MS = 10_000;
/** Waiting calls ask again and again; their proxies' neighbours need not hear it each time. */
const RECALL_EVERY_MS = 200;

export const makeSnapshotStreams = ({ snapshotFor, timers, clock }: SnapshotStreamsDeps): SnapshotStreams => {
  const streams = new Set<Stream>();
  const recalled = new Map<string, number>();
  let stopped = false;

  const send = (stream: Stream, snapshot: Snapshot): void => {
    if (snapshot.version === stream.version) return;
    if (stream.sink.writableNeedDrain) {
      stream.pending = snapshot;
      return;
    }
    stream.version = snapshot.version;
    stream.pending = null;
    stream.sink.write(`${JSON.stringify(snapshot)}\n`);
  };

  const beat = (): void => {
    for (const { sink } of streams) if (!sink.writableNeedDrain) sink.write(encodePing());
    cancelBeat = timers.after(PING_MS, beat);
  };
  let cancelBeat = timers.after(PING_MS, beat);

  return {
    open: (instance, subject, sink) => {
      const snapshot = snapshotFor(subject);
      sink.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
      if (stopped) {
        sink.end();
        return;
      }
      const stream: Stream = { instance, subject, sink, version: '', pending: null };
      streams.add(stream);
      sink.on('close', () => streams.delete(stream));
      sink.on('drain', () => {
        if (stream.pending) send(stream, stream.pending);
      });
      send(stream, snapshot);
    },
    refresh: () => {
      for (const stream of streams) send(stream, snapshotFor(stream.subject));
    },
    recall: (counter, except) => {
      const key = counterKey(counter);
      const now = clock();
      if (now - (recalled.get(key) ?? -Infinity) < RECALL_EVERY_MS) return;
      if (recalled.size > 10_000) recalled.clear();
      recalled.set(key, now);
      const line = encodeRecall([counter]);
      for (const { instance, sink } of streams) if (instance !== except && !sink.writableNeedDrain) sink.write(line);
    },
    stop: () => {
      stopped = true;
      cancelBeat();
      for (const { sink } of streams) sink.end();
      streams.clear();
    },
  };
};
