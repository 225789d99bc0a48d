/** Reads what a scan is about: workloads, the labels of their namespaces, and names of the keys of ConfigMaps. No Secret. */
import { containersOf, isMap, type NamespaceMode } from '@tollgate/operator/injection';
import { minorOf, namespaceMode, NAMESPACES } from '@tollgate/operator/inspection';
import { listAll, type KubeKind, type KubeObject } from '@tollgate/operator/kube';
import { CliError } from '../../cli-error.ts';
import { CONFIG_MAPS, WORKLOAD_API_KINDS } from '../kinds.ts';
import type { Cluster } from '../open-cluster.ts';
import { requireNamespace } from '../require-namespace.ts';
import { told, type Told } from '../told.ts';
import { workloadPod, type WorkloadPod } from '../workload-pod.ts';
import { envSource, type ConfigMapKeys } from './signs.ts';

export interface GatheredWorkload {
  readonly namespace: string;
  readonly workload: WorkloadPod;
  readonly pods: number | null;
}

export interface GatheredScan {
  readonly workloads: readonly GatheredWorkload[];
  readonly modes: ReadonlyMap<string, NamespaceMode | null>;
  /** By namespace. */
  readonly configMaps: ReadonlyMap<string, ConfigMapKeys>;
  readonly kubernetesMinor: number | null;
  /** What its reader may not see. */
  readonly unread: readonly string[];
}

export const gatherScan = async (cluster: Cluster): Promise<GatheredScan> => {
  await requireNamespace(cluster);
  const lists: readonly Told<readonly GatheredWorkload[]>[] = await Promise.all(
    WORKLOAD_API_KINDS.map((kind) => told(listWorkloads(cluster, kind))),
  );
  const [first] = lists;
  if (first?.known === false && lists.every(({ known }) => !known)) {
    throw new CliError(`no workload may be listed: ${first.why}`, {
      todo:
        cluster.selected === null
          ? 'stay within a namespace of your own with -n, or ask for the right to list them'
          : 'ask for the right to list them, or name a namespace of your own with -n',
    });
  }
  const workloads = lists.flatMap((list) => (list.known ? list.value : []));
  const modes = await told(readModes(cluster));
  const version = await cluster.ask('/version');
  const { maps, unread } = await readConfigMaps(cluster, workloads);
  return {
    workloads,
    modes: modes.known ? modes.value : new Map(),
    configMaps: maps,
    kubernetesMinor: minorOf(version.body),
    unread: [...lists, modes].flatMap((list) => (list.known ? [] : [list.why])).concat(unread),
  };
};

type Workload = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

const listWorkloads = async (
  { api, selected, signal }: Cluster,
  kind: KubeKind,
): Promise<readonly GatheredWorkload[]> => {
  const keep = (object: Workload): GatheredWorkload | undefined => {
    // The Jobs of a CronJob are its pods' business.
    if (object.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.kind === 'CronJob'))
      return undefined;
    const workload = workloadPod(kind.kind, object);
    if (workload === null) return undefined;
    return { namespace: object.metadata.namespace ?? '', workload, pods: podsOf(kind, object) };
  };
  const selection = selected === null ? {} : { namespace: selected };
  return (await listAll<Workload, GatheredWorkload>({ api, kind, selection, signal, keep })).items;
};

const podsOf = ({ kind }: KubeKind, { spec, status }: Workload): number | null => {
  const read = (from: unknown, field: string): number | null => {
    const value = isMap(from) ? from[field] : undefined;
    return typeof value === 'number' ? value : null;
  };
  if (kind === 'CronJob' || kind === 'Job') return null;
  return kind === 'DaemonSet' ? read(status, 'desiredNumberScheduled') : (read(spec, 'replicas') ?? 1);
};

const readModes = async ({ api, selected, signal }: Cluster): Promise<ReadonlyMap<string, NamespaceMode | null>> => {
  const mode = ({ metadata }: KubeObject): readonly [string, NamespaceMode | null] => [
    metadata.name,
    namespaceMode(metadata.labels),
  ];
  if (selected !== null) {
    const one = await api.get(NAMESPACES, { name: selected }, { metadataOnly: true });
    return new Map(one === null ? [] : [mode(one)]);
  }
  const all = await listAll({ api, kind: NAMESPACES, selection: { metadataOnly: true }, signal, keep: mode });
  return new Map(all.items);
};

const readConfigMaps = async ({ api }: Cluster, workloads: readonly GatheredWorkload[]) => {
  const wanted = new Map<string, Set<string>>();
  for (const { namespace, workload } of workloads) {
    for (const source of containersOf(workload.pod).flatMap(({ envFrom }) => envFrom ?? [])) {
      const found = envSource(source);
      if (found?.kind !== 'ConfigMap') continue;
      wanted.set(namespace, (wanted.get(namespace) ?? new Set<string>()).add(found.name));
    }
  }
  const maps = new Map<string, ConfigMapKeys>();
  const unread: string[] = [];
  for (const [namespace, names] of wanted) {
    const keys = new Map<string, readonly string[]>();
    for (const name of names) {
      const map = await told(api.get<KubeObject & { readonly data?: object }>(CONFIG_MAPS, { namespace, name }));
      if (!map.known) unread.push(map.why);
      // One that is not there yet holds nothing; one that may not be read is told by its name alone.
      else keys.set(name, Object.keys(map.value?.data ?? {}));
    }
    maps.set(namespace, keys);
  }
  return { maps, unread };
};
