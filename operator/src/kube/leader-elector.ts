/**
 * One of several processes leads: the one that keeps renewing a Lease. At any time at most one `isLeading`: the leader
 * stops 20 s after it sent its last good renewal, others begin when they have seen the lease unchanged for 30 s.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import type { KubeApi } from './kube-api.ts';
import { isConflict } from './kube-fault.ts';
import { freeSpec, heldSpec, isHeldByOther, LEASE_KIND, observe, type Lease, type Observation } from './lease.ts';
import type { KubeMetrics } from './metrics.ts';

export interface LeaderElector {
  /** Contends until `stop`, also after a term that was lost. Once. */
  run(handlers: LeaderHandlers): void;
  /** By the clock, not by what was last written: false in a process that was paused for too long, even before it knows. */
  isLeading(): boolean;
  /** Ends the term, if it leads, and gives the lease back so that another one leads at once. To be called after draining. */
  stop(): Promise<void>;
}

export interface LeaderHandlers {
  /** A term begins. The signal aborts when it ends, whatever the cause. */
  onLeading(signal: AbortSignal): void;
  /** A term ended that was not given back: another may lead now, or soon will. Stop writing and exit. */
  onLost(): void;
}

export interface LeaderElectorOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  /** Of this process and no other, earlier ones of the same pod included: `<pod>_<uuid>`. */
  readonly identity: string;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Milliseconds since 1970: only for what people read in the lease. */
  readonly wallClock: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Pick<KubeMetrics, 'set'>;
  /** How long others wait for a holder that does not renew. Default 30,000; must be more than `renewMs`. */
  readonly leaseMs?: number;
  /** How long the holder leads without a renewal. Default 20,000; must be more than `retryMs`. */
  readonly renewMs?: number;
  /** Between two tries, up to a fifth more: so long a lease that was given back may lie idle. Default 2,500. */
  readonly retryMs?: number;
}

/** held: by us, as of now. lost: by another. unknown: the server gave no answer, or someone wrote at the same time. */
type Outcome = 'held' | 'lost' | 'unknown';

interface Term {
  readonly aborter: AbortController;
  /** When the last good renewal was sent. */
  renewedAt: number;
  cancelEnd: () => void;
}

const RELEASE_TIMEOUT_MS = 5000;

export const makeLeaderElector = ({
  api,
  namespace,
  name,
  identity,
  timers,
  clock,
  wallClock,
  random,
  log: processLog,
  metrics,
  leaseMs = 30_000,
  renewMs = 20_000,
  retryMs = 2500,
}: LeaderElectorOptions): LeaderElector => {
  if (!(leaseMs > renewMs && renewMs > retryMs))
    throw new Error(`lease ${leaseMs} ms must be longer than renewal ${renewMs} ms, and that than retry ${retryMs} ms`);
  const log = processLog.with({ name: `${namespace}/${name}`, instance: identity });
  const stopping = new AbortController();
  let handlers: LeaderHandlers | null = null;
  let observation: Observation | null = null;
  let term: Term | null = null;
  let cancelTry = (): void => undefined;
  let trying: Promise<void> | null = null;
  metrics.set('leader_election_master_status', { name }, 0);

  const callOptions = { signal: stopping.signal, timeoutMs: renewMs / 2 };
  const take = async (): Promise<Outcome> => {
    const lease = await api.get<Lease>(LEASE_KIND, { namespace, name }, callOptions);
    const spec = heldSpec(lease?.spec, identity, wallClock(), leaseMs);
    if (lease === null) {
      await api.create<Lease>(LEASE_KIND, { metadata: { namespace, name }, spec }, callOptions);
      return 'held';
    }
    observation = observe(observation, lease, clock());
    if (isHeldByOther(lease, identity, observation, clock(), leaseMs)) return 'lost';
    // Its resource version decides between two that found it free.
    await api.replace<Lease>(LEASE_KIND, { ...lease, spec }, callOptions);
    return 'held';
  };

  const attempt = async (): Promise<void> => {
    const sentAt = clock();
    let outcome: Outcome = 'unknown';
    try {
      outcome = await take();
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (!isConflict(error)) log.warn({ err: error }, term === null ? 'cannot contend' : 'cannot renew the lease');
    }
    if (stopping.signal.aborted) return;
    // An answer that a paused process reads late says what was true when it was sent.
    const isFresh = clock() - sentAt < renewMs;
    if (outcome === 'held' && isFresh) hold(sentAt);
    else if (outcome === 'lost') lose('another holds the lease');
  };

  const hold = (sentAt: number): void => {
    if (term === null) {
      term = { aborter: new AbortController(), renewedAt: sentAt, cancelEnd: () => undefined };
      metrics.set('leader_election_master_status', { name }, 1);
      log.info({}, 'leads');
      guarded(() => handlers?.onLeading(term?.aborter.signal ?? AbortSignal.abort()));
    }
    if (term === null) return;
    term.renewedAt = sentAt;
    term.cancelEnd();
    term.cancelEnd = timers.after(sentAt + renewMs - clock(), () => lose('not renewed in time'));
  };
  const endTerm = (reason: string): boolean => {
    if (term === null) return false;
    const { aborter, cancelEnd } = term;
    term = null;
    cancelEnd();
    metrics.set('leader_election_master_status', { name }, 0);
    log.info({ reason }, 'leads no longer');
    aborter.abort(new Error(`leadership ended: ${reason}`));
    return true;
  };
  const lose = (reason: string): void => {
    if (endTerm(reason)) guarded(() => handlers?.onLost());
  };
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      log.error({ err: error }, 'a handler of leadership threw');
    }
  };

  const tryAgain = (ms: number): void => {
    if (stopping.signal.aborted) return;
    cancelTry = timers.after(ms, () => {
      trying = attempt().finally(() => tryAgain(retryMs * (1 + 0.2 * random())));
    });
  };

  /** So that the next one need not wait; also where a try that was cut short may have got through. */
  const giveBack = async (): Promise<void> => {
    const options = { timeoutMs: RELEASE_TIMEOUT_MS };
    const lease = await api.get<Lease>(LEASE_KIND, { namespace, name }, options);
    if (lease?.spec?.holderIdentity !== identity) return;
    await api.replace<Lease>(LEASE_KIND, { ...lease, spec: freeSpec(lease.spec, wallClock()) }, options);
    log.info({}, 'gave the lease back');
  };

  return {
    run: (given) => {
      if (handlers !== null || stopping.signal.aborted) return;
      handlers = given;
      tryAgain(0);
    },
    isLeading: () => term !== null && clock() - term.renewedAt < renewMs,
    stop: async () => {
      if (stopping.signal.aborted) return;
      stopping.abort(new Error('the elector stops'));
      cancelTry();
      endTerm('given back');
      await trying;
      if (handlers === null) return;
      await giveBack().catch((error: unknown) => {
        log.warn({ err: error }, 'the lease could not be given back: others wait until it is over');
      });
    },
  };
};
