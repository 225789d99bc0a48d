import type { LLMInferenceService, ModelRoute, TokenBudget } from '@tollgate/api';
import type { PoolBalance, ResolveCounter } from '@tollgate/ledger/pool';
import type { LimitDefinition, SeedSource } from '@tollgate/store';
import { budgetName, fingerprintOf, limitsInForce, scopeOf, termsAt } from './counter-terms.ts';
import { seedAmount } from './seed-amount.ts';

/** The manifests that hold now, and what the ledger asks of them. Replaced whole; nobody sees half of a change. */
export interface Resources {
  readonly budgets: readonly TokenBudget[];
  readonly routes: readonly ModelRoute[];
  readonly inferenceServices?: readonly LLMInferenceService[];
  /** Where nobody told, a namespace has no label but its name. */
  readonly namespaces?: NamespaceLabels;
}

export type NamespaceLabels = ReadonlyMap<string, Readonly<Record<string, string>>>;

export const namespaceLabels = (
  { namespaces }: Pick<Resources, 'namespaces'>,
  namespace: string,
): Readonly<Record<string, string>> => namespaces?.get(namespace) ?? {};

export interface ResourcesInForce {
  now(): Resources;
  replace(resources: Resources): void;
  readonly resolve: ResolveCounter;
  definitions(resources: Resources): readonly LimitDefinition[];
  /** Is any of them not in force now? */
  hasNew(definitions: readonly LimitDefinition[]): boolean;
  seedFrom(pooled: () => Promise<readonly PoolBalance[]>): SeedSource;
}

export const makeResourcesInForce = ({
  clock,
  systemNamespace,
}: {
  readonly clock: () => number;
  readonly systemNamespace: string;
}): ResourcesInForce => {
  let resources: Resources = { budgets: [], routes: [] };
  let limits = limitsInForce([]);
  return {
    now: () => resources,
    replace: (next) => {
      limits = limitsInForce(next.budgets);
      resources = next;
    },
    resolve: (name) => {
      const inForce = limits.get(`${name.budget}/${name.limit}`);
      return inForce ? termsAt(inForce, name, clock()) : null;
    },
    definitions: ({ budgets }) =>
      [...limitsInForce(budgets).values()].map((inForce) => ({
        budget: budgetName(inForce.budget),
        limit: inForce.limit.name,
        fingerprint: fingerprintOf(inForce),
        scope: scopeOf(inForce),
      })),
    hasNew: (definitions) => definitions.some(({ budget, limit }) => !limits.has(`${budget}/${limit}`)),
    seedFrom: (pooled) => ({
      pooled,
      amountOf: (terms, event) => {
        const inForce = limits.get(`${terms.budget}/${terms.limit}`);
        if (!inForce) return 0n;
        const { subject } = event;
        const place = { subject, systemNamespace, namespaceLabels: namespaceLabels(resources, subject.namespace) };
        return seedAmount(inForce, terms.partition, event, place);
      },
    }),
  };
};
