/** Processes that contend for a lease, for tests: each can be paused, and the network between them and the server be bad. */
import { makeMetrics, silentLogger, type Timers } from '@tollgate/runtime';
import type { FakeClock } from '@tollgate/testkit';
import type { KubeApi } from '../kube-api.ts';
import { KubeFault } from '../kube-fault.ts';
import { makeLeaderElector, type LeaderElector } from '../leader-elector.ts';
import type { Lease } from '../lease.ts';
import { KUBE_METRICS } from '../metrics.ts';

/** One lease, as a server keeps it. */
export const makeLeaseServer = () => {
  let lease: Lease | null = null;
  let version = 0;
  const put = (next: Lease): Lease => {
    version += 1;
    lease = { ...next, metadata: { ...next.metadata, resourceVersion: `${version}` } };
    return lease;
  };
  const conflict = (): KubeFault => new KubeFault({ status: 409, reason: 'Conflict', message: 'someone wrote' });
  return {
    current: () => lease,
    put,
    get: () => lease,
    create: (next: Lease): Lease => {
      if (lease !== null) throw conflict();
      return put(next);
    },
    replace: (next: Lease): Lease => {
      if (lease === null || next.metadata.resourceVersion !== lease.metadata.resourceVersion) throw conflict();
      return put(next);
    },
  };
};

export type LeaseServer = ReturnType<typeof makeLeaseServer>;

export interface Network {
  /** Milliseconds that the request and the answer take; each may be lost. */
  readonly there: () => number;
  readonly back: () => number;
  readonly isLost: () => boolean;
}

export const GOOD_NETWORK: Network = { there: () => 5, back: () => 5, isLost: () => false };

/** A process that can be paused: its timers and what it waits for then wait too, while its clock goes on. */
export const makeProcess = (name: string, clock: FakeClock, server: LeaseServer, network: Network) => {
  let isPaused = false;
  let waiting: (() => void)[] = [];
  const whenAwake = (act: () => void): void => {
    if (isPaused) waiting.push(act);
    else act();
  };
  const timers: Timers = { after: (ms, act) => clock.timers.after(ms, () => whenAwake(act)) };
  const awake = (): Promise<void> => new Promise((resolve) => whenAwake(resolve));

  /** What the server does happens in the middle; an answer may be lost though it was done. */
  const call = async <T>(act: () => T, signal: AbortSignal | undefined, timeoutMs: number): Promise<T> => {
    const lostAnswer = new KubeFault({ status: 0, reason: 'DeadlineExceeded', message: 'no answer' });
    const sentAt = clock.now();
    const isRequestLost = network.isLost();
    await clock.sleep(network.there());
    let done: { readonly value: T } | { readonly error: unknown } = { error: lostAnswer };
    if (!isRequestLost) {
      try {
        done = { value: act() };
      } catch (error) {
        done = { error };
      }
    }
    if (isRequestLost || network.isLost()) {
      await clock.sleep(Math.max(0, sentAt + timeoutMs - clock.now()));
      done = { error: lostAnswer };
    } else await clock.sleep(network.back());
    await awake();
    signal?.throwIfAborted();
    if ('error' in done) throw done.error;
    return done.value;
  };
  const api = {
    get: (_kind, _name, { signal, timeoutMs = 10_000 } = {}) => call(() => server.get(), signal, timeoutMs),
    create: (_kind, lease, { signal, timeoutMs = 10_000 } = {}) =>
      call(() => server.create(lease as Lease), signal, timeoutMs),
    replace: (_kind, lease, { signal, timeoutMs = 10_000 } = {}) =>
      call(() => server.replace(lease as Lease), signal, timeoutMs),
  } as Pick<KubeApi, 'get' | 'create' | 'replace'>;

  const seen: string[] = [];
  let term: AbortSignal | null = null;
  const metrics = makeMetrics(KUBE_METRICS, { processMetrics: false });
  const elector = makeLeaderElector({
    api,
    namespace: 'tollgate-system',
    name: 'operator',
    identity: name,
    timers,
    clock: clock.now,
    wallClock: clock.wallNow,
    random: () => 0,
    log: silentLogger(),
    metrics,
  });
  const run = (): LeaderElector => {
    elector.run({
      onLeading: (signal) => {
        seen.push('leads');
        term = signal;
      },
      onLost: () => seen.push('lost'),
    });
    return elector;
  };
  return {
    elector,
    run,
    seen,
    metrics,
    hasTerm: () => term !== null && !term.aborted,
    pause: () => void (isPaused = true),
    resume: () => {
      isPaused = false;
      for (const act of waiting.splice(0)) act();
    },
    /** Never to be heard of again. */
    kill: () => {
      isPaused = true;
      waiting = [];
    },
  };
};
