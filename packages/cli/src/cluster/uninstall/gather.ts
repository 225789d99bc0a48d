/** Reads what a release consists of and what lives on it. Of Secrets the names alone. */
import { INJECTION, isMap } from '@tollgate/operator/injection';
import {
  ACTIVE_PODS,
  INFERENCE_SERVICES,
  INJECTED_SELECTOR,
  MODEL_ROUTES,
  NAMESPACES,
  PODS,
  TOKEN_BUDGETS,
} from '@tollgate/operator/inspection';
import { isNotFound, listAll, type KubeKind, type KubeObject } from '@tollgate/operator/kube';
import type { Installation } from '../installation.ts';
import { MUTATING_POLICY_BINDINGS, RELEASE_KINDS } from '../kinds.ts';
import type { Cluster } from '../open-cluster.ts';
import { told, valueOr, whyNotRead } from '../told.ts';
import { ownerOf } from './owner.ts';
import type { BudgetFacts, Carrier, ReleaseObject, UninstallFacts } from './facts.ts';

export const gatherUninstall = async (cluster: Cluster, installation: Installation): Promise<UninstallFacts> => {
  const kinds = [...RELEASE_KINDS, ...MUTATING_POLICY_BINDINGS];
  const [objects, carriers, namespaces, budgets, routes, services] = await Promise.all([
    Promise.all(kinds.map((kind) => told(ofKind(cluster, installation, kind)))),
    told(readCarriers(cluster)),
    told(
      list(cluster, NAMESPACES, { labelSelector: `${INJECTION} in (enabled,required)`, metadataOnly: true }, labelled),
    ),
    told(list(cluster, TOKEN_BUDGETS, {}, toBudget)),
    told(list(cluster, MODEL_ROUTES, { metadataOnly: true }, () => 1)),
    told(list(cluster, INFERENCE_SERVICES, { metadataOnly: true }, () => 1)),
  ]);
  return {
    installation,
    objects: unique(objects.flatMap((each) => valueOr(each, []))),
    carriers: valueOr(carriers, []),
    namespaces: valueOr(namespaces, []),
    budgets: valueOr(budgets, []),
    routes: valueOr(routes, []).length,
    services: valueOr(services, []).length,
    unread: whyNotRead(...objects, carriers, namespaces, budgets, routes, services),
  };
};

/** A kind of which the cluster serves two versions is listed by both. */
const unique = (objects: readonly ReleaseObject[]): readonly ReleaseObject[] => [
  ...new Map(objects.map((object) => [`${object.kind}/${object.name}`, object])).values(),
];

type Listed = KubeObject & { readonly status?: unknown };

/** None where the cluster does not know the kind. */
const list = async <R>(
  { api, signal }: Cluster,
  kind: KubeKind,
  selection: Parameters<typeof listAll>[0]['selection'],
  keep: (object: Listed) => R | undefined,
): Promise<readonly R[]> => {
  try {
    return (await listAll<Listed, R>({ api, kind, selection, signal, keep })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
};

const MANAGED_BY = 'app.kubernetes.io/managed-by';
/** https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource */
const POLICY = 'helm.sh/resource-policy';
const REQUIRED_INJECTION = 'required-injection.tollgate.dev';

const ofKind = async (
  cluster: Cluster,
  { namespace, release, name: prefix }: Installation,
  kind: KubeKind,
): Promise<readonly ReleaseObject[]> => {
  const isDefinition = kind.plural === 'customresourcedefinitions';
  const isPlain = kind.plural === 'secrets' || kind.plural === 'persistentvolumeclaims';
  const keep = ({ metadata }: KubeObject): ReleaseObject | undefined => {
    const { name, labels = {}, annotations = {} } = metadata;
    const isOurs =
      labels['app.kubernetes.io/instance'] === release ||
      (isDefinition && name.endsWith('.tollgate.dev')) ||
      // Made at run time, by names of the chart.
      (kind.plural === 'secrets' && name.startsWith(`${prefix}-`) && labels['app.kubernetes.io/name'] === 'tollgate');
    if (!isOurs) return undefined;
    return {
      kind: kind.plural === 'customresourcedefinitions' ? 'crd' : kind.kind.toLowerCase(),
      name,
      namespace: kind.namespaced ? namespace : null,
      isHelms: labels[MANAGED_BY] === 'Helm' && annotations[POLICY] !== 'keep',
      isDefinition,
      isInTheWay:
        kind.plural === 'mutatingwebhookconfigurations' ||
        kind.plural === 'mutatingadmissionpolicybindings' ||
        name === REQUIRED_INJECTION,
    };
  };
  const labelSelector = isDefinition
    ? {}
    : isPlain
      ? { labelSelector: 'app.kubernetes.io/name=tollgate' }
      : { labelSelector: `app.kubernetes.io/instance=${release}` };
  const within = kind.namespaced ? { namespace } : {};
  return list(cluster, kind, { ...within, ...labelSelector, metadataOnly: true }, keep);
};

const labelled = ({ metadata: { name, labels = {} } }: KubeObject) => ({ name, label: labels[INJECTION] ?? '' });

const readCarriers = async (cluster: Cluster): Promise<readonly Carrier[]> => {
  const selection = { labelSelector: INJECTED_SELECTOR, fieldSelector: ACTIVE_PODS, metadataOnly: true };
  const owners = await list(cluster, PODS, selection, ({ metadata }: KubeObject) => ({
    namespace: metadata.namespace ?? '',
    workload: ownerOf(metadata),
  }));
  const byOwner = Map.groupBy(owners, ({ namespace, workload }) => `${namespace}/${workload}`);
  return [...byOwner.values()].flatMap((pods) => {
    const [first] = pods;
    return first === undefined ? [] : [{ ...first, pods: pods.length }];
  });
};

const toBudget = ({ metadata, status }: Listed): BudgetFacts => {
  const summary = isMap(status) ? status['summary'] : undefined;
  const spent = isMap(summary) ? summary['spent'] : undefined;
  return { namespace: metadata.namespace ?? '', name: metadata.name, spent: typeof spent === 'string' ? spent : '' };
};
