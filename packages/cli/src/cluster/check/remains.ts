/** Parts of a release without its operator: helm left them where an installation is under way, or has failed. */
import { isMap } from '@tollgate/operator/injection';
import { PODS } from '@tollgate/operator/inspection';
import { listAll, type KubeObject } from '@tollgate/operator/kube';
import { finding, someOf, type Finding } from '../finding.ts';
import { podsOfRelease, RELEASE_LABEL, SELECTOR } from '../installation.ts';
import { SERVICE_ACCOUNTS } from '../kinds.ts';
import type { Cluster } from '../open-cluster.ts';

export interface Remains {
  readonly namespace: string;
  readonly release: string;
  /** What its containers wait for: `POD: ImagePullBackOff IMAGE`. */
  readonly waiting: readonly string[];
}

/** Null where nothing is left. The first one: nobody installs two at once. */
export const findRemains = async (
  { api, signal }: Cluster,
  systemNamespace: string | undefined,
): Promise<Remains | null> => {
  const within = systemNamespace === undefined ? {} : { namespace: systemNamespace };
  const accounts = await listAll({
    api,
    kind: SERVICE_ACCOUNTS,
    selection: { ...within, labelSelector: SELECTOR, metadataOnly: true },
    signal,
    keep: ({ metadata }: KubeObject) => metadata,
  });
  const [first] = accounts.items;
  if (first === undefined) return null;
  const { namespace = '', labels = {} } = first;
  const release = labels[RELEASE_LABEL] ?? '';
  const pods = await listAll({
    api,
    kind: PODS,
    selection: { namespace, labelSelector: podsOfRelease(release) },
    signal,
    keep: (pod: KubeObject & { readonly status?: unknown }) => pod,
  });
  return { namespace, release, waiting: pods.items.flatMap(waitingOf) };
};

const waitingOf = ({ metadata, status }: KubeObject & { readonly status?: unknown }): readonly string[] => {
  const statuses = isMap(status) && Array.isArray(status['containerStatuses']) ? status['containerStatuses'] : [];
  return statuses.flatMap((container: unknown) => {
    const state = isMap(container) && isMap(container['state']) ? container['state'] : {};
    const reason = isMap(state['waiting']) ? state['waiting']['reason'] : undefined;
    const image = isMap(container) ? container['image'] : undefined;
    if (typeof reason !== 'string' || typeof image !== 'string') return [];
    return [`${metadata.name}: ${reason} ${image}`];
  });
};

export const unfinished = ({ namespace, release, waiting }: Remains): Finding =>
  finding(
    'error',
    `namespace/${namespace}`,
    `only parts of release ${release} are there: its installation is under way, or has failed${waiting.length === 0 ? '' : `; ${someOf(waiting)}`}`,
    `if it has failed: helm uninstall ${release} -n ${namespace}, then helm install with images that the nodes can pull (images.prefix, images.tag)`,
  );
