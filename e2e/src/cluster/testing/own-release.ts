/** A release that a story has for itself, from a bare cluster to a bare cluster. The other stories share one: release.ts. */
import { getJson, kubectl, tryKubectl } from './kubectl.ts';
import { helm, helmWithValues, IMAGES, READY, RELEASE, SYSTEM } from './release.ts';

const CRDS = ['tokenbudgets', 'modelroutes', 'llminferenceservices'].map((plural) => `${plural}.tollgate.dev`);

/** Takes away the release and all that would outlive it: its namespace, the kinds, and with them every budget. */
export const clearCluster = async (): Promise<void> => {
  await refuseStrangers();
  await uninstallOwn('--ignore-not-found');
  await removeSystem();
  await kubectl(['delete', 'crd', ...CRDS, '--ignore-not-found', '--timeout=60s']);
};

/** Resolves with what helm says to who installs, the chart's notes among it. */
export const installOwn = (chart: string, values: object, ...args: readonly string[]): Promise<string> =>
  helmWithValues(values, 'install', RELEASE, chart, '--namespace', SYSTEM, '--create-namespace', ...READY, ...args);

export const upgradeOwn = (chart: string, values: object, ...args: readonly string[]): Promise<string> =>
  helmWithValues(values, 'upgrade', RELEASE, chart, '--namespace', SYSTEM, ...READY, ...args);

export const uninstallOwn = (...args: readonly string[]): Promise<string> =>
  helm('uninstall', RELEASE, '--namespace', SYSTEM, ...READY, ...args);

/** Rejects where the namespace is still there after two minutes, be it for a finalizer. */
export const removeSystem = async (): Promise<void> => {
  await kubectl(['delete', 'namespace', SYSTEM, '--ignore-not-found', '--wait', '--timeout=120s']);
};

interface Listed {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  }[];
}

/** `Kind name` of every object in the cluster that carries the release's label, but for those on their way out. */
export const objectsOfRelease = async (): Promise<readonly string[]> => {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const label = `app.kubernetes.io/instance=${RELEASE}`;
  const { items } = await getJson<Listed>('get', kinds.join(), '--all-namespaces', '-l', label);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .sort();
};

/** The suite may run on any cluster that KUBECONFIG names, and what a story clears away does not come back. */
const refuseStrangers = async (): Promise<void> => {
  const installed = await helm('get', 'values', RELEASE, '--namespace', SYSTEM, '-o', 'json').catch(() => null);
  const { images } = JSON.parse(installed ?? '{}') as { readonly images?: Partial<typeof IMAGES> };
  if (images?.prefix === IMAGES.prefix && images.tag === IMAGES.tag) return;
  const budgets = (await tryKubectl(['get', 'llm', '--all-namespaces', '-o', 'name'])).stdout.trim();
  if (installed !== null || budgets !== '')
    throw new Error(
      `this cluster has a Tollgate that the suite did not install, and the story would delete it with every budget: use another cluster, or delete release "${RELEASE}" in ${SYSTEM} and the budgets yourself`,
    );
};
