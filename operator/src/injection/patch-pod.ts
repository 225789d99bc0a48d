/** What must change in a pod so that it is as planned: nothing where it is so already. */
import type { BaseUrlPlan, SetVariable } from './base-urls.ts';
import type { ProviderId } from './facts.ts';
import { patchAppend, patchMap, pointer, type JsonPatch, type PatchOperation } from './json-patch.ts';
import { isSameJson } from './json-value.ts';
import {
  DEFAULT_CONTAINER,
  EVICTABLE_VOLUMES,
  INJECTED,
  MESH_CONTAINERS,
  PROXY_CONTAINER,
  STATUS,
  VOLUME,
} from './names.ts';
import { annotationsOf, type Container, type EnvVar, type Pod } from './pod.ts';
import { proxyContainer, proxyVolumes, type ProxyPlan } from './proxy-container.ts';
import { repaired } from './repair.ts';

export interface PodPlan {
  readonly plan: ProxyPlan;
  readonly baseUrls: BaseUrlPlan;
  /** By container name: the exceptions to its way out. */
  readonly exceptions: ReadonlyMap<string, readonly SetVariable[]>;
  readonly providers: readonly ProviderId[];
}

/** The value of the status annotation. `kubectl tollgate check` and the operator read it. */
export interface InjectionStatus {
  readonly version: string;
  readonly configHash: string;
  readonly providers: readonly ProviderId[];
  /** `container/VARIABLE` that were left as they are. */
  readonly skippedEnv?: readonly string[];
  /** Base URLs of the user's that are now the proxy's upstreams. */
  readonly upstreams?: BaseUrlPlan['upstreams'];
}

export const patchPod = (pod: Pod, podPlan: PodPlan): JsonPatch => {
  const { operations, order } = patchProxy(pod, podPlan.plan);
  const patchEnv = (list: 'containers' | 'initContainers', container: Container, index: number): JsonPatch =>
    patchVariables(pointer('spec', list, index, 'env'), container.env, [
      ...(podPlan.baseUrls.variables.get(container.name) ?? []),
      ...(podPlan.exceptions.get(container.name) ?? []),
    ]);
  return [
    ...patchMap('/metadata/labels', pod.metadata.labels, { [INJECTED]: 'true' }),
    ...patchMap('/metadata/annotations', pod.metadata.annotations, annotations(pod, podPlan)),
    ...patchVolumes(pod, podPlan.plan),
    ...operations,
    // By their places after the proxy's.
    ...order.flatMap((container, index) => (container === null ? [] : patchEnv('initContainers', container, index))),
    ...(pod.spec.containers ?? []).flatMap((container, index) => patchEnv('containers', container, index)),
  ];
};

interface PatchedOrder {
  readonly operations: JsonPatch;
  /** The init containers after these operations; null stands for the proxy. */
  readonly order: readonly (Container | null)[];
}

/** First, but after a mesh's containers: its own calls take the mesh, and all others' take it. */
const patchProxy = (pod: Pod, plan: ProxyPlan): PatchedOrder => {
  const init = pod.spec.initContainers ?? [];
  const others = init.filter(({ name }) => name !== PROXY_CONTAINER);
  const place = others.findLastIndex(({ name }) => MESH_CONTAINERS.has(name)) + 1;
  const order = [...others.slice(0, place), null, ...others.slice(place)];
  const wanted = proxyContainer(plan);
  const at = init.findIndex(({ name }) => name === PROXY_CONTAINER);
  const present = init[at];
  const path = pointer('spec', 'initContainers', place);
  if (present === undefined) {
    const isFirst = pod.spec.initContainers == null;
    const operation: PatchOperation = isFirst
      ? { op: 'add', path: '/spec/initContainers', value: [wanted] }
      : { op: 'add', path, value: wanted };
    return { operations: [operation], order };
  }
  const value = repaired(present, wanted, plan.settings);
  if (at !== place) {
    return {
      operations: [
        { op: 'remove', path: pointer('spec', 'initContainers', at) },
        { op: 'add', path, value },
      ],
      order,
    };
  }
  return { operations: isSameJson(value, present) ? [] : [{ op: 'replace', path, value }], order };
};

const patchVolumes = ({ spec }: Pod, plan: ProxyPlan): JsonPatch => {
  const present = spec.volumes ?? [];
  const missing: unknown[] = [];
  const replaced: PatchOperation[] = [];
  for (const volume of proxyVolumes(plan)) {
    const index = present.findIndex(({ name }) => name === volume.name);
    if (index < 0) missing.push(volume);
    else if (!isSameJson(present[index], volume)) {
      replaced.push({ op: 'replace', path: pointer('spec', 'volumes', index), value: volume });
    }
  }
  return [...replaced, ...patchAppend('/spec/volumes', spec.volumes, missing)];
};

const patchVariables = (
  at: string,
  present: readonly EnvVar[] | null | undefined,
  wanted: readonly SetVariable[],
): JsonPatch => {
  const missing: SetVariable[] = [];
  const replaced: PatchOperation[] = [];
  for (const variable of wanted) {
    // Of several of a name the last counts.
    const index = (present ?? []).findLastIndex(({ name }) => name === variable.name);
    const entry = present?.[index];
    if (entry === undefined) missing.push(variable);
    else if (entry.value !== variable.value) {
      replaced.push({ op: 'replace', path: at + pointer(index), value: variable });
    }
  }
  return [...replaced, ...patchAppend(at, present, missing)];
};

const annotations = (pod: Pod, { plan, baseUrls, providers }: PodPlan): Readonly<Record<string, string>> => {
  const { version, configHash } = plan.settings;
  const skippedEnv = baseUrls.skipped.map(({ container, name }) => `${container}/${name}`);
  const status: InjectionStatus = {
    version,
    configHash,
    providers,
    ...(skippedEnv.length === 0 ? {} : { skippedEnv }),
    ...(Object.keys(baseUrls.upstreams).length === 0 ? {} : { upstreams: baseUrls.upstreams }),
  };
  const present = annotationsOf(pod);
  const application = (pod.spec.containers ?? []).find(({ name }) => !MESH_CONTAINERS.has(name))?.name;
  return {
    [STATUS]: JSON.stringify(status),
    [EVICTABLE_VOLUMES]: withVolume(present[EVICTABLE_VOLUMES] ?? '', VOLUME.spool),
    ...(present[DEFAULT_CONTAINER] !== undefined || application === undefined
      ? {}
      : { [DEFAULT_CONTAINER]: application }),
  };
};

const withVolume = (list: string, volume: string): string => {
  const volumes = list.split(',').filter((name) => name.trim() !== '');
  return volumes.some((name) => name.trim() === volume) ? list : [...volumes, volume].join(',');
};
