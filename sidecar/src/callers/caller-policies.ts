/**
 * The policy of each caller of a gateway: a feed and a snapshot stream of its own, opened at its first call, up to date as a
 * sidecar's is, and let go when it has not called for a while.
 */
import type { Snapshot } from '@tollgate/api';
import type { CallerName, FollowedPolicy } from '@tollgate/ledger';
import type { OverdraftTerms } from '@tollgate/ledger/escrow';
import type { Timers } from '@tollgate/runtime';
import type { ControlPlane } from '../control-plane.ts';
import { overdraftsOf } from '../policy/overdraft-terms.ts';
import type { PolicyFeed, PolicySource } from '../policy/policy-feed.ts';
import { makeSharedPrices } from './shared-prices.ts';

export interface CallerPolicy extends PolicySource {
  /** False once it was let go: its caller is to get another one. */
  isOpen(): boolean;
}

export interface CallerPolicies {
  /** The same for every token of one account, in one pod. */
  of(caller: CallerName): CallerPolicy;
  count(): number;
  /** The version of each that is in force. A caller without one has passed no call yet. */
  followed(): readonly FollowedPolicy[];
  close(): void;
}

export interface CallerPoliciesDeps {
  readonly controlPlane: Pick<ControlPlane, 'watchSnapshots'>;
  /** The gateway. */
  readonly instance: string;
  readonly makeFeed: () => PolicyFeed;
  /** What the budgets of a caller lend in an outage; none once it is let go. */
  readonly onOverdrafts: (key: string, terms: readonly OverdraftTerms[]) => void;
  /** Other callers are followed than before, or other versions. */
  readonly onFollowed: () => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** Each is a connection to the server. */
  readonly most?: number;
}

const SWEEP_MS = 60_000;
const IDLE_MS = 600_000;

interface Entry {
  readonly caller: CallerName;
  readonly feed: PolicyFeed;
  readonly policy: CallerPolicy;
  readonly stop: AbortController;
  usedAt: number;
}

export const makeCallerPolicies = ({
  controlPlane,
  instance,
  makeFeed,
  onOverdrafts,
  onFollowed,
  clock,
  timers,
  most = 1_000,
}: CallerPoliciesDeps): CallerPolicies => {
  const entries = new Map<string, Entry>();
  const shared = makeSharedPrices();

  const letGo = (key: string, { stop }: Entry): void => {
    stop.abort();
    entries.delete(key);
    onOverdrafts(key, []);
    onFollowed();
  };

  const sweep = (): void => {
    for (const [key, entry] of entries) if (clock() - entry.usedAt >= IDLE_MS) letGo(key, entry);
    cancelSweep = timers.after(SWEEP_MS, sweep);
  };
  let cancelSweep = timers.after(SWEEP_MS, sweep);

  /** Rarely needed, so that finding it may take a look at each. */
  const makeRoom = (): void => {
    let oldest: [string, Entry] | null = null;
    for (const each of entries) if (oldest === null || each[1].usedAt < oldest[1].usedAt) oldest = each;
    if (oldest !== null) letGo(...oldest);
  };

  const open = (key: string, caller: CallerName): CallerPolicy => {
    if (entries.size >= most) makeRoom();
    const feed = makeFeed();
    const stop = new AbortController();
    const policy: CallerPolicy = {
      current: () => {
        entry.usedAt = clock();
        return feed.current();
      },
      isStale: feed.isStale,
      isOpen: () => !stop.signal.aborted,
    };
    const entry: Entry = { caller, feed, policy, stop, usedAt: clock() };
    entries.set(key, entry);
    void controlPlane.watchSnapshots({
      instance,
      caller,
      signal: stop.signal,
      onSnapshot: (snapshot: Snapshot) => {
        if (stop.signal.aborted) return;
        const before = feed.version();
        feed.update({ ...snapshot, prices: shared(snapshot.prices) });
        onOverdrafts(key, overdraftsOf(snapshot));
        if (feed.version() !== before) onFollowed();
      },
      onLine: feed.heard,
    });
    return policy;
  };

  return {
    of: (caller) => {
      const key = keyOf(caller);
      return entries.get(key)?.policy ?? open(key, caller);
    },
    count: () => entries.size,
    followed: () =>
      [...entries.values()].flatMap(({ caller, feed }) => {
        const snapshot = feed.version();
        return snapshot === null ? [] : [{ caller, snapshot }];
      }),
    close: () => {
      cancelSweep();
      for (const { stop } of entries.values()) stop.abort();
      entries.clear();
    },
  };
};

/** No name of Kubernetes holds a slash. */
const keyOf = ({ namespace, serviceAccount, pod }: CallerName): string =>
  `${namespace}/${serviceAccount}/${pod?.uid ?? ''}`;
