/** Reads what an installation is judged by. What its reader may not see becomes a remark. */
import {
  proxyRepositories,
  INJECT,
  INJECTION,
  isMap,
  PROXY_CONTAINER,
  type InjectionSettings,
} from '@tollgate/operator/injection';
import {
  ACTIVE_PODS,
  findingOf,
  INFERENCE_SERVICES,
  INJECTED_SELECTOR,
  lacksProxy,
  makeProspects,
  MODEL_ROUTES,
  namespaceMode,
  NAMESPACES,
  oddWordOf,
  PODS,
  publishedBundles,
  TOKEN_BUDGETS,
  toInjectedPod,
  toWatchedPod,
  WATCHED_SELECTOR,
  WEBHOOK_CONFIGURATIONS,
  type AuditContext,
  type WebhookConfiguration,
} from '@tollgate/operator/inspection';
import {
  isNotFound,
  keyOf,
  KubeFault,
  LEASE_KIND,
  listAll,
  type KubeKind,
  type KubeObject,
  type Lease,
} from '@tollgate/operator/kube';
import { isCurrentImage } from '../current-image.ts';
import { installedSettings } from '../injection-settings.ts';
import { ofRelease, podsOfProgram, type Component, type Installation } from '../installation.ts';
import { CUSTOM_RESOURCES, MUTATING_POLICY_BINDINGS } from '../kinds.ts';
import type { Cluster } from '../open-cluster.ts';
import { told, valueOr, whyNotRead } from '../told.ts';
import type {
  CrdFacts,
  InjectorFacts,
  InstallationFacts,
  LackingPod,
  LeaseFacts,
  NamespaceLabels,
  OwnFacts,
  PodAnswer,
  PodFacts,
  ResourceFacts,
  TrialFacts,
  WebhookFacts,
} from './facts.ts';

const ADMIN_PORT = 4190;
const SERVER_PORT = 4180;
const OURS = [TOKEN_BUDGETS, MODEL_ROUTES, INFERENCE_SERVICES];

export const gatherInstallation = async (
  cluster: Cluster,
  installation: Installation,
  now: number,
): Promise<InstallationFacts> => {
  const settings = await told(installedSettings(cluster, installation));
  const [crds, webhooks, hasMutatingPolicy, lease, resources, labels] = await Promise.all([
    told(readCrds(cluster)),
    told(readWebhooks(cluster, installation)),
    readMutatingPolicy(cluster, installation),
    told(readLease(cluster, installation)),
    Promise.all(OURS.map((kind) => readResources(cluster, kind))),
    told(readNamespaces(cluster)),
  ]);
  const modes = new Map(labels.known ? labels.value.map(({ name, mode }) => [name, mode] as const) : []);
  return {
    installation,
    crds,
    settings,
    webhooks,
    hasMutatingPolicy,
    lease,
    resources: resources.flat(),
    namespaces: labels,
    injectors: await askInjectors(cluster, installation),
    servers: await askPods(cluster, installation, 'server', SERVER_PORT, '/healthz'),
    operators: await askPods(cluster, installation, 'operator', ADMIN_PORT, '/status'),
    trial: await tryInjection(cluster, installation, settings.known ? settings.value : null, modes),
    pods: await told(readPods(cluster, installation.namespace, settings.known ? settings.value : null, modes)),
    now,
  };
};

/** What a reader sees who may not look at the installation: budgets, routes, services and pods of theirs. */
export const gatherOwn = async (cluster: Cluster, systemNamespace: string, why: string): Promise<OwnFacts> => {
  const lists = await Promise.all(OURS.map((kind) => told(listResources(cluster, kind))));
  const modes = await told(readModes(cluster));
  return {
    why,
    selected: cluster.selected,
    resources: lists.flatMap((list) => (list.known ? list.value : [])),
    pods: await told(readPods(cluster, systemNamespace, null, valueOr(modes, new Map()))),
    unread: whyNotRead(...lists, modes),
  };
};

/** Of the one namespace, or of all. */
const readModes = async (cluster: Cluster): Promise<Modes> => {
  const { api, selected } = cluster;
  if (selected === null) return new Map((await readNamespaces(cluster)).map(({ name, mode }) => [name, mode] as const));
  const one = await api.get(NAMESPACES, { name: selected }, { metadataOnly: true });
  return new Map([[selected, namespaceMode(one?.metadata.labels)]]);
};

interface Definition extends KubeObject {
  readonly spec?: { readonly versions?: readonly { readonly name: string; readonly served: boolean }[] };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const readCrds = async ({ api, signal }: Cluster): Promise<CrdFacts> => {
  const kinds = await Promise.all(
    OURS.map(async ({ plural, group }) => {
      const name = `${plural}.${group}`;
      const found = await api.get<Definition>(CUSTOM_RESOURCES, { name });
      return {
        name,
        isThere: found !== null,
        isEstablished: (found?.status?.conditions ?? []).some(
          ({ type, status }) => type === 'Established' && status === 'True',
        ),
        served: (found?.spec?.versions ?? []).filter(({ served }) => served).map((version) => version.name),
      };
    }),
  );
  const plurals = new Set(OURS.map(({ plural }) => plural));
  const keep = ({ metadata: { name } }: KubeObject): string | undefined =>
    plurals.has(name.slice(0, name.indexOf('.'))) && !name.endsWith('.tollgate.dev') ? name : undefined;
  const { items } = await listAll({ api, kind: CUSTOM_RESOURCES, selection: { metadataOnly: true }, signal, keep });
  return { kinds, namesakes: items };
};

const readWebhooks = async ({ api, signal }: Cluster, installation: Installation): Promise<WebhookFacts | null> => {
  const { items } = await listAll<WebhookConfiguration, WebhookConfiguration>({
    api,
    kind: WEBHOOK_CONFIGURATIONS,
    selection: { labelSelector: ofRelease(installation) },
    signal,
    keep: (one) => one,
  });
  const [found] = items;
  if (found === undefined) return null;
  const bundles = publishedBundles(found);
  const webhooks = (found.webhooks ?? []).map(({ name }, index) => ({ name, authorities: bundles[index] ?? [] }));
  return { name: found.metadata.name, webhooks };
};

/** The kind is there in new clusters only. */
const readMutatingPolicy = async ({ api }: Cluster, installation: Installation): Promise<boolean> => {
  for (const kind of MUTATING_POLICY_BINDINGS) {
    try {
      const { items } = await api.list(kind, { labelSelector: ofRelease(installation), metadataOnly: true });
      if (items.length > 0) return true;
    } catch (error) {
      if (!isNotFound(error) && !(error instanceof KubeFault && error.status === 403)) throw error;
    }
  }
  return false;
};

const readLease = async ({ api }: Cluster, { namespace, name, programs }: Installation): Promise<LeaseFacts | null> => {
  const lease = programs.find(({ component }) => component === 'operator')?.lease ?? `${name}-operator`;
  const found = await api.get<Lease>(LEASE_KIND, { namespace, name: lease });
  if (found === null) return null;
  const { holderIdentity = '', renewTime, leaseDurationSeconds = 15 } = found.spec ?? {};
  const renewedAt = renewTime === undefined ? null : Date.parse(renewTime);
  return { name: lease, holder: holderIdentity, renewedAt, seconds: leaseDurationSeconds };
};

/** Without its definition there are none, which the definitions' own check says; 403: of another's namespace. */
const readResources = async (cluster: Cluster, kind: KubeKind): Promise<readonly ResourceFacts[]> =>
  valueOr(await told(listResources(cluster, kind)), []);

const listResources = async ({ api, selected, signal }: Cluster, kind: KubeKind): Promise<readonly ResourceFacts[]> => {
  const keep = (
    object: KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } },
  ): ResourceFacts => {
    const conditions = object.status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === 'Ready');
    return {
      kind: kind.kind.toLowerCase(),
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      ready: ready?.status === 'True' || ready?.status === 'False' ? ready.status : 'Unknown',
      reason: ready?.reason ?? '',
      message: ready?.message ?? '',
      failing: conditions
        .filter(({ type, status }) => type !== 'Ready' && type !== 'Exceeded' && status === 'False')
        .map(({ type, reason = '', message = '' }) => ({ type, reason, message })),
    };
  };
  const selection = selected === null ? {} : { namespace: selected };
  try {
    return (await listAll({ api, kind, selection, signal, keep })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
};

const readNamespaces = async ({ api, signal }: Cluster): Promise<readonly NamespaceLabels[]> => {
  const keep = ({ metadata: { name, labels = {} } }: KubeObject): NamespaceLabels | undefined => {
    const label = labels[INJECTION];
    return label === undefined ? undefined : { name, label, mode: namespaceMode(labels) };
  };
  const selection = { metadataOnly: true, labelSelector: INJECTION };
  return (await listAll({ api, kind: NAMESPACES, selection, signal, keep })).items;
};

const namesOfPods = async (
  { api }: Cluster,
  installation: Installation,
  component: Component,
): Promise<readonly string[]> => {
  const { namespace } = installation;
  const labelSelector = podsOfProgram(installation, component);
  const fieldSelector = 'status.phase=Running';
  const { items } = await api.list(PODS, { namespace, labelSelector, fieldSelector, metadataOnly: true });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
};

const askPods = async (
  cluster: Cluster,
  installation: Installation,
  component: Component,
  port: number,
  path: string,
): Promise<readonly PodAnswer[]> => {
  const names = await told(namesOfPods(cluster, installation, component));
  const pods = names.known ? names.value : [];
  return Promise.all(
    pods.map(async (pod) => ({
      pod,
      answer: await cluster.askPod({ namespace: installation.namespace, name: pod }, port, path),
    })),
  );
};

const askInjectors = async (cluster: Cluster, installation: Installation): Promise<readonly InjectorFacts[]> => {
  const ready = await askPods(cluster, installation, 'injector', ADMIN_PORT, '/readyz');
  return Promise.all(
    ready.map(async ({ pod, answer }) => {
      const at = { namespace: installation.namespace, name: pod };
      const { body } = answer.status === 200 ? await cluster.askPod(at, ADMIN_PORT, '/metrics') : { body: '' };
      return { pod, ready: answer, certificateSeconds: gaugeOf(body, 'tollgate_webhook_certificate_expiry_seconds') };
    }),
  );
};

const gaugeOf = (page: string, name: string): number | null => {
  const line = page.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
  const value = line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
  return Number.isNaN(value) ? null : value;
};

type Modes = ReadonlyMap<string, NamespaceLabels['mode']>;

const tryInjection = async (
  { api, namespace: own, selected }: Cluster,
  { namespace: system }: Installation,
  settings: InjectionSettings | null,
  modes: Modes,
): Promise<TrialFacts> => {
  if (settings === null) return { outcome: 'not tried', why: 'its settings could not be read' };
  const namespace = selected ?? own;
  if (namespace === system || settings.excludedNamespaces.includes(namespace) || modes.get(namespace) === 'disabled')
    return { outcome: 'not tried', why: `nothing is injected in namespace ${namespace}; name another with -n` };
  try {
    const made = await api.create<KubeObject & { readonly spec?: unknown }>(
      PODS,
      trialPod(namespace, settings.proxyImage),
      { dryRun: true },
    );
    const init: unknown = isMap(made.spec) ? made.spec['initContainers'] : undefined;
    const isInjected =
      Array.isArray(init) && init.some((one: unknown) => isMap(one) && one['name'] === PROXY_CONTAINER);
    return { outcome: isInjected ? 'injected' : 'bare', namespace };
  } catch (error) {
    if (!(error instanceof KubeFault) || error.status === 0) throw error;
    // Of the one who asks, and not of the webhook.
    if (error.status === 403 && error.message.includes('cannot create resource'))
      return { outcome: 'not tried', why: error.message };
    return { outcome: 'refused', namespace, why: error.message };
  }
};

/** As strict namespaces want it. */
const trialPod = (namespace: string, image: string): KubeObject & { readonly spec: unknown } => ({
  metadata: { name: 'tollgate-check', namespace, annotations: { [INJECT]: 'true' } },
  spec: {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        image,
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
});

const readPods = async (
  { api, selected, signal }: Cluster,
  system: string,
  settings: InjectionSettings | null,
  modes: Modes,
): Promise<PodFacts> => {
  const context: AuditContext = {
    systemNamespace: system,
    excludedNamespaces: settings?.excludedNamespaces ?? [],
    proxyRepositories: settings === null ? null : proxyRepositories(settings),
    // The versions of the command and of the injector may differ, and with them their hashes of the same settings.
    configHash: null,
    version: null,
  };
  const within = selected === null ? {} : { namespace: selected };
  const watched = await listAll({
    api,
    kind: PODS,
    selection: { ...within, metadataOnly: true, labelSelector: WATCHED_SELECTOR, fieldSelector: ACTIVE_PODS },
    signal,
    keep: (object: KubeObject) => {
      const pod = toWatchedPod(object);
      const mode = modes.get(object.metadata.namespace ?? '') ?? null;
      const lacks = lacksProxy(pod, mode, context);
      const word = oddWordOf(pod, mode, context);
      const isLeaving = object.metadata.deletionTimestamp !== undefined;
      return isLeaving || (!lacks && word === null) ? undefined : { pod, mode, lacks, word };
    },
  });
  const prospectOf = makeProspects({ api, settings });
  const lacking: LackingPod[] = [];
  for (const { pod, mode, lacks } of watched.items) {
    if (!lacks) continue;
    const isOwned = (pod.metadata.ownerReferences ?? []).length > 0;
    lacking.push({ pod: keyOf(pod.metadata), isOwned, prospect: await prospectOf(pod, mode, signal) });
  }
  const injected = await listAll({
    api,
    kind: PODS,
    selection: { ...within, labelSelector: INJECTED_SELECTOR, fieldSelector: ACTIVE_PODS },
    signal,
    keep: (pod: KubeObject) => toInjectedPod(pod),
  });
  const forged = injected.items.filter((pod) => findingOf(pod, context) === 'forged');
  const genuine = injected.items.filter((pod) => !forged.includes(pod));
  const isOutdated = (image: string | null): boolean =>
    settings !== null && image !== null && !isCurrentImage(image, settings);
  return {
    lacking,
    unclear: watched.items.flatMap(({ pod, word }) => (word === null ? [] : [{ pod: keyOf(pod.metadata), word }])),
    forged: forged.map(({ metadata }) => keyOf(metadata)),
    outdated: genuine.filter(({ proxyImage }) => isOutdated(proxyImage)).map(({ metadata }) => keyOf(metadata)),
    carrying: genuine.length,
  };
};
