/** Kubernetes Events (events.k8s.io/v1) on objects, for `kubectl describe` and `kubectl events`. */
import type { Logger, Timers } from '@tollgate/runtime';
import type { KubeApi } from './kube-api.ts';
import {
  EVENT_KIND,
  firstEvent,
  sameness,
  seriesOf,
  type EventNote,
  type EventOrigin,
  type KubeEvent,
} from './kube-event.ts';
import { isConflict, KubeFault } from './kube-fault.ts';
import type { KubeMetrics } from './metrics.ts';
import { pauseWith } from './pause.ts';
import { makeTokenBucket, type TokenBucket } from './token-bucket.ts';

export type { EventNote } from './kube-event.ts';

export interface EventRecorder {
  /**
   * Never throws and never waits: sent in the background, an event again within six minutes becomes a series with a count,
   * and what exceeds the rate is dropped and counted.
   */
  record(event: EventNote): void;
  /** Sends what waits, for at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface EventRecorderOptions extends EventOrigin {
  readonly api: Pick<KubeApi, 'create' | 'apply'>;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Pick<KubeMetrics, 'add'>;
}

interface Series {
  readonly event: KubeEvent;
  count: number;
  lastAt: number;
  lastWallMs: number;
  /** The server knows of it; what it does not know cannot become a series. */
  stands: boolean;
  isFlushDue: boolean;
}

const SAME_FOR_MS = 360_000;
/** A series is written so often at most: a count that is a minute old is good enough for those who look. */
const FLUSH_MS = 60_000;
/** As many different events of one object, and one in five minutes afterwards: what client-go grants. */
const OBJECT_BURST = 25;
const OBJECT_PER_SECOND = 1 / 300;
const ALL_BURST = 200;
const ALL_PER_SECOND = 5;
/** Beyond that what is remembered is looked through for what is over. */
const REMEMBERED_MAX = 5000;
const RETRY_MS = [1000, 5000, 20_000] as const;

export const makeEventRecorder = ({
  api,
  component,
  instance,
  timers,
  clock,
  wallClock,
  random,
  log,
  metrics,
}: EventRecorderOptions): EventRecorder => {
  const pause = pauseWith(timers);
  const stopping = new AbortController();
  const series = new Map<string, Series>();
  const objects = new Map<string, TokenBucket>();
  const all = makeTokenBucket(ALL_BURST, ALL_PER_SECOND, clock);
  const cancels = new Set<() => void>();
  let ids = 0;
  /** One after the other: a series comes after its first event. */
  let sending: Promise<void> = Promise.resolve();

  const count = (outcome: 'created' | 'series' | 'dropped' | 'failed'): void =>
    metrics.add('tollgate_kube_events_total', { outcome });

  const send = (act: () => Promise<void>): void => {
    sending = sending.then(act).catch((error: unknown) => {
      count('failed');
      log.warn({ err: error }, 'a Kubernetes event could not be written');
    });
  };
  /** Tries again where the server did not answer or is in trouble, since nobody else will. */
  const insistently = async (write: () => Promise<unknown>): Promise<void> => {
    for (const waitMs of [...RETRY_MS, null]) {
      try {
        await write();
        return;
      } catch (error) {
        if (waitMs === null || !isPassing(error) || stopping.signal.aborted) throw error;
        await pause(waitMs, stopping.signal);
      }
    }
  };

  const callOptions = { signal: stopping.signal };
  const create = async (key: string, entry: Series): Promise<void> => {
    try {
      await insistently(() => api.create<KubeEvent>(EVENT_KIND, entry.event, callOptions));
    } catch (error) {
      // A conflict after a lost answer: it stands.
      if (!isConflict(error)) {
        series.delete(key);
        throw error;
      }
    }
    entry.stands = true;
    count('created');
  };
  const flush = (entry: Series): void => {
    entry.isFlushDue = false;
    send(async () => {
      if (!entry.stands) return;
      const newer = seriesOf(entry.event, entry.count, entry.lastWallMs);
      const options = { ...callOptions, fieldManager: component, force: true };
      await insistently(() => api.apply<KubeEvent>(EVENT_KIND, newer, options));
      count('series');
    });
  };
  const flushLater = (entry: Series): void => {
    if (entry.isFlushDue) return;
    entry.isFlushDue = true;
    const act = (): void => {
      cancels.delete(cancel);
      flush(entry);
    };
    const cancel = timers.after(FLUSH_MS, act);
    cancels.add(cancel);
  };

  const forgetOld = (): void => {
    for (const [key, { lastAt }] of series) if (clock() - lastAt > SAME_FOR_MS) series.delete(key);
    for (const [key, bucket] of objects) if (bucket.isFull()) objects.delete(key);
  };
  const isGranted = ({ regarding: { kind, metadata } }: EventNote): boolean => {
    const key = JSON.stringify([kind, metadata.namespace, metadata.name]);
    const own = objects.get(key) ?? makeTokenBucket(OBJECT_BURST, OBJECT_PER_SECOND, clock);
    objects.set(key, own);
    return own.take() && all.take();
  };

  const record = (note: EventNote): void => {
    const key = sameness(note);
    const known = series.get(key);
    const now = clock();
    if (known !== undefined && now - known.lastAt <= SAME_FOR_MS) {
      known.count += 1;
      known.lastAt = now;
      known.lastWallMs = wallClock();
      flushLater(known);
      return;
    }
    if (!isGranted(note)) {
      count('dropped');
      return;
    }
    if (series.size + objects.size >= REMEMBERED_MAX) forgetOld();
    ids += 1;
    const id = [wallClock(), random() * 2 ** 32, ids].map((part) => Math.floor(part).toString(16)).join('');
    const event = firstEvent(note, { component, instance }, id, wallClock());
    const entry: Series = { event, count: 1, lastAt: now, lastWallMs: 0, stands: false, isFlushDue: false };
    series.set(key, entry);
    send(() => create(key, entry));
  };

  return {
    record: (note) => {
      if (stopping.signal.aborted) return;
      try {
        record(note);
      } catch (error) {
        log.error({ err: error }, 'a Kubernetes event could not be made');
      }
    },
    stop: async (graceMs) => {
      for (const cancel of cancels) cancel();
      cancels.clear();
      for (const entry of series.values()) if (entry.isFlushDue) flush(entry);
      const over = new AbortController();
      await Promise.race([sending, pause(graceMs, over.signal)]).finally(() => {
        stopping.abort(new Error('the event recorder stops'));
        over.abort(new Error('stopped'));
      });
    },
  };
};

const isPassing = (error: unknown): boolean =>
  error instanceof KubeFault && (error.status === 0 || error.status === 429 || error.status >= 500);
