/**
 * A control plane inside the test: the production pool over the block source in memory, a policy that a test may replace,
 * and the events as they were delivered. What a proxy sees of it is what it sees over HTTP, without the HTTP.
 */
import { overdraftLimit, slidingTerms } from '@tollgate/budget';
import { windowAt } from '@tollgate/budget/window';
import { makeMemoryBlockSource, makeMemoryPool, type MemoryBlockSource } from '@tollgate/ledger/pool';
import {
  LedgerRefused,
  LedgerUnavailable,
  type CallerName,
  type CallerReview,
  type DegradedReason,
  type LedgerEvent,
} from '@tollgate/ledger';
import { encodeCallerName, openEvent } from '@tollgate/ledger/wire';
import type { Snapshot } from '@tollgate/api';
import type { ControlPlane } from '../control-plane.ts';

export interface MemoryControlPlane extends ControlPlane {
  readonly events: readonly LedgerEvent[];
  readonly source: MemoryBlockSource;
  setSnapshot(snapshot: Snapshot): void;
  /** Tells every proxy that it is there, as it does every few seconds by itself. */
  ping(): void;
  /** Every question fails from now on, or no longer. */
  setDown(down: boolean): void;
  /** Leases are given and events are not taken, or again. */
  setTakesEvents(takes: boolean): void;
  /** What the proxy last said was wrong around it. */
  degraded(): readonly DegradedReason[];
  /** The version that the proxy last said it runs. */
  snapshotSaid(): string | null;
  /** Of each caller whose policy the gateway last said it runs, the version, by the caller's name; null: it said nothing of callers. */
  callersSaid(): Readonly<Record<string, string>> | null;
  /** Hellos are refused with this code from now on; null: no longer. */
  setUnwelcome(code: string | null): void;
  /** What is said of a caller's token from now on, and the snapshot that the caller gets; other tokens are invalid. */
  setCaller(token: string, review: CallerReview, snapshot?: Snapshot): void;
  /** Tokens that were asked about, in their order. */
  readonly reviewed: readonly string[];
  /** Callers whose snapshots are followed. */
  callersFollowed(): number;
  /** Lease acquisitions asked for. */
  acquisitions(): number;
}

export const makeMemoryControlPlane = async (
  first: Snapshot,
  clock: () => number = Date.now,
): Promise<MemoryControlPlane> => {
  let snapshot = first;
  let isDown = false;
  let acquisitions = 0;
  let takesEvents = true;
  let degraded: readonly DegradedReason[] = [];
  let snapshotSaid: string | null = null;
  let callersSaid: Readonly<Record<string, string>> | null = null;
  let unwelcome: string | null = null;
  const events: LedgerEvent[] = [];
  const seen = new Set<string>();
  const reviews = new Map<string, CallerReview>();
  const reviewed: string[] = [];
  const callerSnapshots = new Map<string, Snapshot>();
  const callerWatchers = new Map<string, Set<(snapshot: Snapshot) => void>>();
  const watchers = new Set<(snapshot: Snapshot) => void>();
  const listeners = new Set<() => void>();
  const source = makeMemoryBlockSource();
  const pool = await makeMemoryPool({
    source,
    clock,
    liveProxies: () => 1,
    resolve: (name) => {
      for (const budget of [snapshot, ...callerSnapshots.values()].flatMap(({ budgets }) => budgets)) {
        const overdraft = overdraftLimit(budget);
        const limit = [...budget.limits, ...(overdraft === null ? [] : [overdraft])].find(
          (each) => `${budget.namespace}/${budget.name}` === name.budget && each.name === name.limit,
        );
        if (limit !== undefined)
          return {
            ...name,
            unit: limit.unit,
            max: BigInt(limit.max),
            window: windowAt(limit.period, limit.window, budget.timeZone, clock()),
            sliding: limit.window === 'Sliding' && limit.period !== 'Total' ? slidingTerms(limit.period) : null,
          };
      }
      return null;
    },
  });
  const up = (): void => {
    if (isDown) throw new LedgerUnavailable('the test took the ledger away');
  };

  return {
    events,
    source,
    acquisitions: () => acquisitions,
    reviewed,
    callersFollowed: () => [...callerWatchers.values()].reduce((sum, { size }) => sum + size, 0),
    setCaller: (token, review, given) => {
      reviews.set(token, review);
      if (!review.accepted || given === undefined) return;
      const key = callerKey(review.caller);
      callerSnapshots.set(key, given);
      for (const watcher of callerWatchers.get(key) ?? []) watcher(given);
    },
    reviewCaller: async (token) => {
      up();
      reviewed.push(token);
      await Promise.resolve();
      return reviews.get(token) ?? { accepted: false, fault: 'invalid' };
    },
    degraded: () => degraded,
    snapshotSaid: () => snapshotSaid,
    callersSaid: () => callersSaid,
    setUnwelcome: (code) => {
      unwelcome = code;
    },
    setSnapshot: (next) => {
      snapshot = next;
      for (const watcher of watchers) watcher(next);
    },
    ping: () => {
      for (const listener of listeners) listener();
    },
    setDown: (down) => {
      isDown = down;
    },
    hello: async ({ instance, subject, degraded: said = [] }) => {
      up();
      if (unwelcome !== null) throw new LedgerRefused('/v1/hello: not yet', 409, unwelcome);
      degraded = said;
      source.register(instance);
      await pool.join(instance);
      return { organisation: 'test', epoch: pool.epoch(), subject, liveProxies: 1, ledgerTimeMs: clock() };
    },
    running: (request) => {
      up();
      snapshotSaid = request.snapshot;
      callersSaid =
        request.callers === undefined
          ? null
          : Object.fromEntries(
              request.callers.map(({ caller, snapshot: version }) => [encodeCallerName(caller), version]),
            );
      return Promise.resolve();
    },
    acquire: async (request) => {
      up();
      acquisitions += 1;
      return pool.acquire(request);
    },
    giveBack: async (request) => {
      up();
      await pool.giveBack(request);
    },
    setTakesEvents: (takes) => {
      takesEvents = takes;
    },
    ship: async (batch) => {
      up();
      if (!takesEvents) throw new LedgerUnavailable('the test lets no events through');
      for (const event of batch.map(openEvent)) {
        const id = `${event.instance}/${String(event.seq)}`;
        if (seen.has(id)) continue;
        seen.add(id);
        events.push(event);
        const charges = event.counters
          .filter(({ epoch }) => epoch !== '')
          .map((counter) => ({ ...counter, instance: event.instance }));
        source.settle(charges);
        await pool.settled(charges);
      }
      return Promise.resolve(batch.at(-1)?.seq ?? 0);
    },
    closeEpoch: async ({ instance, epoch }) => {
      up();
      await pool.close(instance, epoch, () => Promise.resolve(source.closeInstance(instance, epoch)));
    },
    watchSnapshots: ({ caller, onSnapshot, onLine, signal }) =>
      new Promise((resolve) => {
        const listen = (): void => {
          if (!isDown) onLine?.();
        };
        const timers = [setInterval(listen, PING_MS), setInterval(() => void pool.tend(), TEND_MS)];
        for (const timer of timers) timer.unref();
        const key = caller === undefined ? null : callerKey(caller);
        const among = key === null ? watchers : (callerWatchers.get(key) ?? new Set());
        if (key !== null) callerWatchers.set(key, among);
        const first = key === null ? snapshot : callerSnapshots.get(key);
        among.add(onSnapshot);
        listeners.add(listen);
        if (first !== undefined) onSnapshot(first);
        signal.addEventListener('abort', () => {
          for (const timer of timers) clearInterval(timer);
          among.delete(onSnapshot);
          listeners.delete(listen);
          resolve();
        });
      }),
  };
};

const callerKey = ({ namespace, serviceAccount, pod }: CallerName): string =>
  `${namespace}/${serviceAccount}/${pod?.uid ?? ''}`;

const PING_MS = 5_000;
const TEND_MS = 100;
