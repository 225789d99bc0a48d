/** Keeps the policy in force: the newest snapshot that this proxy understands, compiled; calls that come before the first one wait for it. */
import type { Snapshot } from '@tollgate/api';
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
  version(): string | null;
}

export const makePolicyFeed = ({ waitMs }: { readonly waitMs: number }): PolicyFeed => {
  let ready: ReadyPolicy | null = null;
  let waiting: ((policy: ReadyPolicy | null) => void)[] = [];
  return {
    update(snapshot) {
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
    version: () => ready?.book.version ?? null,
  };
};
