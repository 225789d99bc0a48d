/** What the API server tells of the budgets' statuses: when each was written, and what it says now. */
import { monotonicClock, silentLogger, systemTimers } from '@tollgate/runtime';
import { isDeepStrictEqual } from 'node:util';
import { TOKEN_BUDGETS } from '../kinds.ts';
import { nameOfKey, type KubeObject } from '../kube/kube-object.ts';
import { makeReflector } from '../kube/reflector.ts';
import type { TestClient } from '../kube/testing/client-of.ts';

export interface ObservedBudget extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly bypassingPods?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface BudgetWrites {
  /** Milliseconds of `monotonicClock`, ascending: a status became another. */
  times(): readonly number[];
  all(): readonly ObservedBudget[];
  /** How many are in force as they were written last. */
  ready(): number;
  /** Resolves with the time at which this generation of it was programmed. */
  untilProgrammed(key: string, generation: number): Promise<number>;
  /** They missed nothing: the watch was never listed anew. */
  isComplete(): Promise<boolean>;
  stop(): Promise<void>;
}

export const watchBudgetWrites = async ({ api, metrics }: TestClient): Promise<BudgetWrites> => {
  const times: number[] = [];
  const waiting = new Set<() => void>();
  const reflector = makeReflector<ObservedBudget>({
    api,
    kind: TOKEN_BUDGETS,
    timers: systemTimers,
    clock: monotonicClock,
    random: () => 0.5,
    log: silentLogger(),
    metrics,
  });
  reflector.cache.onChange(({ before, after }) => {
    if (before !== null && after !== null && !isDeepStrictEqual(before.status, after.status)) {
      times.push(monotonicClock());
    }
    for (const look of waiting) look();
  });
  reflector.start();
  await reflector.synced;
  return {
    times: () => times,
    all: () => reflector.cache.list(),
    ready: () => reflector.cache.list().filter(isReady).length,
    untilProgrammed: (key, generation) =>
      new Promise((resolve) => {
        const look = (): void => {
          const budget = reflector.cache.get(nameOfKey(key));
          if (budget === null || !says(budget, 'Programmed', generation)) return;
          waiting.delete(look);
          resolve(monotonicClock());
        };
        waiting.add(look);
        look();
      }),
    isComplete: async () => {
      const page = await metrics.page();
      return !/^tollgate_kube_lists_total\{[^}]*reason="(expired|missed)"/m.test(page);
    },
    stop: () => reflector.stop(),
  };
};

/** As it is written now, in force; not to be confused with `Programmed`, which pods that lack the proxy forbid. */
const isReady = (budget: ObservedBudget): boolean => says(budget, 'Ready', budget.metadata.generation);

const says = ({ status }: ObservedBudget, type: string, generation: number | undefined): boolean =>
  status?.observedGeneration === generation &&
  (status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false);
