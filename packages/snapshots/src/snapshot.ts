/** Compiles all manifests into what one subject's proxy needs. The same manifests give the same text, in any order. */
import {
  SNAPSHOT_CONTRACT,
  type LLMInferenceService,
  type ModelRoute,
  type Snapshot,
  type Subject,
  type TokenBudget,
} from '@tollgate/api';
import type { PriceTable } from '@tollgate/prices/table';
import { bindBudget, bindsRoute } from './binding.ts';
import { byText } from './order.ts';
import { pricedProviders, snapshotPrices } from './prices.ts';
import { compileRoute } from './route.ts';

export interface SnapshotInput {
  readonly organisation: string;
  readonly subject: Subject;
  /** Whose routes; a gateway's callers take those of the gateway. Default: the subject's own. */
  readonly routesOf?: Subject;
  readonly budgets: readonly TokenBudget[];
  readonly routes: readonly ModelRoute[];
  readonly inferenceServices?: readonly LLMInferenceService[];
  readonly prices: PriceTable;
  readonly systemNamespace: string;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /** Of text, to text; two texts never share one. SHA-256 in hex, for one. */
  readonly hash: (text: string) => string;
}

export const compileSnapshot = ({
  organisation,
  subject,
  routesOf = subject,
  budgets,
  routes,
  inferenceServices = [],
  prices,
  systemNamespace,
  namespaceLabels = {},
  hash,
}: SnapshotInput): Snapshot => {
  const place = { subject, systemNamespace, namespaceLabels };
  const compiledRoutes = routes
    .filter((route) => bindsRoute(route, { ...place, subject: routesOf }))
    .map((route) => compileRoute(route, inferenceServices))
    .sort(byName);
  const providers = pricedProviders(compiledRoutes);
  const content = {
    contract: SNAPSHOT_CONTRACT,
    organisation,
    subject: sortedSubject(subject),
    budgets: budgets
      .map((budget) => bindBudget(budget, place))
      .filter((budget) => budget !== null)
      .sort(byName),
    routes: compiledRoutes,
  } as const;
  // The table's own version stands for its rows, which are most of the text.
  const version = hash(JSON.stringify({ ...content, prices: { version: prices.version, providers } }));
  return { ...content, version, prices: snapshotPrices(prices, providers) };
};

interface Named {
  readonly namespace: string;
  readonly name: string;
}

const byName = (a: Named, b: Named): number => byText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`);

const sortedSubject = ({ namespace, workload, workloadKind, serviceAccount, pod, labels, team }: Subject): Subject => ({
  namespace,
  workload,
  ...(workloadKind === undefined ? {} : { workloadKind }),
  ...(serviceAccount === undefined ? {} : { serviceAccount }),
  ...(pod === undefined ? {} : { pod }),
  labels: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => byText(a, b))),
  team,
});
