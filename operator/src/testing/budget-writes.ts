/** What the API server tells of the budgets' statuses: when it took each of them, and what they say now. */
import { isDeepStrictEqual } from 'node:util';
import { monotonicClock } from '@tollgate/runtime';
import { TOKEN_BUDGETS } from '../kinds.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { keyOf, type KubeMeta, type KubeObject } from '../kube/kube-object.ts';
import { listAll } from '../kube/list-all.ts';

interface ObservedBudget extends KubeObject {
  readonly metadata: KubeMeta & {
    readonly managedFields?: readonly { readonly subresource?: string; readonly time?: string }[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly bypassingPods?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface BudgetWrites {
  /**
   * Of each status that became another, milliseconds since 1970 by the API server's clock, in whole seconds: how late we
   * hear of it plays no part.
   */
  times(): readonly number[];
  all(): readonly ObservedBudget[];
  /** How many are in force as they were written last. */
  ready(): number;
  /** Resolves with the time of `monotonicClock` at which we heard that this generation of it is programmed. */
  untilProgrammed(key: string, generation: number): Promise<number>;
  /** Rejects where the watch broke, and something may have been missed. */
  stop(): Promise<void>;
}

const WATCH_SECONDS = 3_600;

export const watchBudgetWrites = async (api: KubeApi): Promise<BudgetWrites> => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const budgets = new Map<string, ObservedBudget>();
  const times: number[] = [];
  const waiting = new Set<() => void>();
  const keep = (budget: ObservedBudget): ObservedBudget => budget;
  const found = await listAll<ObservedBudget, ObservedBudget>({
    api,
    kind: TOKEN_BUDGETS,
    selection: {},
    signal,
    keep,
  });
  for (const budget of found.items) budgets.set(keyOf(budget.metadata), budget);

  const take = (budget: ObservedBudget): void => {
    const key = keyOf(budget.metadata);
    const before = budgets.get(key);
    budgets.set(key, budget);
    if (!isDeepStrictEqual(before?.status, budget.status)) times.push(writtenAt(budget));
    for (const look of waiting) look();
  };
  const follow = async (): Promise<void> => {
    const query = { resourceVersion: found.resourceVersion, timeoutSeconds: WATCH_SECONDS };
    for await (const event of api.watch<ObservedBudget>(TOKEN_BUDGETS, query, signal)) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') take(event.object);
    }
    throw new Error('the watch of budgets ended');
  };
  const following = follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  // Told of when it is stopped, and not as a rejection that nobody handles until then.
  following.catch(() => undefined);

  return {
    times: () => times,
    all: () => [...budgets.values()],
    ready: () => [...budgets.values()].filter((each) => says(each, 'Ready', each.metadata.generation)).length,
    untilProgrammed: (key, generation) =>
      new Promise((resolve) => {
        const look = (): void => {
          const budget = budgets.get(key);
          if (budget === undefined || !says(budget, 'Programmed', generation)) return;
          waiting.delete(look);
          resolve(monotonicClock());
        };
        waiting.add(look);
        look();
      }),
    stop: async () => {
      stopping.abort(new Error('the test is over'));
      await following;
    },
  };
};

const writtenAt = ({ metadata: { name, managedFields = [] } }: ObservedBudget): number => {
  const times = managedFields.flatMap(({ subresource, time }) =>
    subresource === 'status' && time !== undefined ? [Date.parse(time)] : [],
  );
  if (times.length === 0) throw new Error(`nobody says when the status of ${name} was written`);
  return Math.max(...times);
};

/** `Ready` says that it is in force; `Programmed` is forbidden as well by pods that lack the proxy. */
const says = ({ status }: ObservedBudget, type: string, generation: number | undefined): boolean =>
  status?.observedGeneration === generation &&
  (status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false);
