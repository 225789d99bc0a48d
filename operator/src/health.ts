/** What the probes say, from how long ago the API server was heard of and whether work is stuck. Pure. */
import type { ProbeAnswer } from '@tollgate/runtime';

export interface HealthFacts {
  readonly watches: readonly { readonly kind: string; readonly hasSynced: boolean; readonly stalenessMs: number }[];
  /** For how long each reconcile that is under way has run. */
  readonly runningMs: readonly number[];
  readonly isStopping: boolean;
}

/**
 * Every watch compares itself with the server within 11 minutes and hears a bookmark within about one: one that has not
 * done so for much longer hangs in a way that only a restart ends. While the API server is away a restart does no harm.
 */
const DEAD_MS = 1_200_000;
const QUIET_MS = 300_000;
const STUCK_MS = 600_000;

export const liveness = ({ watches, runningMs }: HealthFacts): ProbeAnswer => {
  const dead = watches.find(({ stalenessMs }) => stalenessMs > DEAD_MS);
  if (dead !== undefined) return no(`nothing was heard of ${dead.kind} for ${minutes(dead.stalenessMs)} minutes`);
  const longest = Math.max(0, ...runningMs);
  return longest > STUCK_MS ? no(`a reconcile has run for ${minutes(longest)} minutes`) : { ok: true };
};

export const readiness = ({ watches, isStopping }: HealthFacts): ProbeAnswer => {
  if (isStopping) return no('stopping');
  const missing = watches.filter(({ hasSynced }) => !hasSynced).map(({ kind }) => kind);
  if (missing.length > 0) return no(`not listed yet: ${[...new Set(missing)].join(', ')} (are the CRDs installed?)`);
  const quiet = watches.find(({ stalenessMs }) => stalenessMs > QUIET_MS);
  return quiet === undefined
    ? { ok: true }
    : no(`nothing was heard of ${quiet.kind} for ${minutes(quiet.stalenessMs)} minutes`);
};

const no = (reason: string): ProbeAnswer => ({ ok: false, reason });

const minutes = (ms: number): number => Math.floor(ms / 60_000);
