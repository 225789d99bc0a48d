/** Keeps the policy in force: the newest snapshot that this proxy understands, compiled; calls that come before the first one wait for it. */
import type { Snapshot, SnapshotRoute } from '@tollgate/api';
import type { MergedPolicy } from '@tollgate/budget';
import { makePolicyBook, type PolicyBook } from './call-policy.ts';
import { makeRuleBook, type RuleBook } from './backends.ts';

export interface ReadyPolicy {
  readonly book: PolicyBook;
  readonly rules: RuleBook;
}

export interface PolicyFeed {
  /** Takes effect for calls that start from now on; those under way keep what they were admitted by. */
  update(snapshot: Snapshot): void;
  current(): ReadyPolicy | Promise<ReadyPolicy | null>;
  isReady(): boolean;
  /** The control plane said something, if only that it is there. */
  heard(): void;
  /** Milliseconds since it last did; null = never. */
  ageMs(): number | null;
  /**
   * Too old to enforce a Hard budget by: what was allowed then may be forbidden now. A budget with an overdraft says by it
   * how long an outage may be bridged.
   */
  isStale(rules: Pick<MergedPolicy, 'overdraft'>): boolean;
  version(): string | null;
  /** Of the policy in force; none before the first. */
  routes(): readonly SnapshotRoute[];
}

/** What calls ask of it. */
export type PolicySource = Pick<PolicyFeed, 'current' | 'isStale'>;

export interface PolicyFeedDeps {
  /** How long a call waits for the first policy. */
  readonly waitMs: number;
  /** How long a policy holds without a word from the control plane. */
  readonly maxAgeMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export const makePolicyFeed = ({ waitMs, maxAgeMs, clock }: PolicyFeedDeps): PolicyFeed => {
  let ready: ReadyPolicy | null = null;
  let heardAt: number | null = null;
  let waiting: ((policy: ReadyPolicy | null) => void)[] = [];
  return {
    update(snapshot) {
      heardAt = clock();
      if (snapshot.version === ready?.book.version) return;
      ready = { book: makePolicyBook(snapshot), rules: makeRuleBook(snapshot.routes) };
      for (const resolve of waiting.splice(0)) resolve(ready);
    },
    current() {
      if (ready !== null) return ready;
      return new Promise((resolve) => {
        const give = (policy: ReadyPolicy | null): void => {
          clearTimeout(timer);
          waiting = waiting.filter((each) => each !== give);
          resolve(policy);
        };
        const timer = setTimeout(give, waitMs, null);
        waiting.push(give);
      });
    },
    isReady: () => ready !== null,
    heard() {
      heardAt = clock();
    },
    ageMs: () => (heardAt === null ? null : clock() - heardAt),
    isStale: ({ overdraft }) =>
      heardAt !== null && clock() - heardAt > Math.max(maxAgeMs, (overdraft?.maxDurationSeconds ?? 0) * 1000),
    version: () => ready?.book.version ?? null,
    routes: () => ready?.book.routes ?? [],
  };
};
