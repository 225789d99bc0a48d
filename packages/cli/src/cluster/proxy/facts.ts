/** One pod, as far as its proxy goes. */
import {
  INJECT,
  isMap,
  mapOf,
  oddInjectValue,
  PROXY_CONTAINER,
  STATUS,
  wishOf,
  PodSchema,
  type InjectionSettings,
} from '@tollgate/operator/injection';
import type { Prospect } from '@tollgate/operator/inspection';
import type { KubeObject } from '@tollgate/operator/kube';
import type { Answer } from '../open-cluster.ts';

export interface ProxyFacts {
  readonly namespace: string;
  readonly pod: string;
  readonly phase: string;
  /** It says itself that it wants the proxy. */
  readonly asks: boolean;
  /** It says something of it that is neither yes nor no; null: it does not. */
  readonly unclear: string | null;
  /** Somebody makes it again when it is gone. */
  readonly isOwned: boolean;
  /** What would come of it then. */
  readonly prospect: Prospect;
  /** Null: it has none. */
  readonly container: ProxyContainer | null;
  /** What the injector wrote: `container/VARIABLE` that were left, base URLs that were taken over. */
  readonly skippedEnv: readonly string[];
  readonly upstreams: Readonly<Record<string, string>>;
  /** Null where they may not be read. */
  readonly settings: InjectionSettings | null;
  /** `/status` and `/readyz` of its admin port; null where it does not run. */
  readonly status: Answer | null;
  readonly ready: Answer | null;
}

export interface ProxyContainer {
  readonly image: string;
  readonly adminPort: number;
  readonly isReady: boolean;
  readonly isRunning: boolean;
  readonly restarts: number;
  /** Of a container that waits or has ended: `ImagePullBackOff`, `OOMKilled`; '' where there is none. */
  readonly trouble: string;
  /** Why its former life ended; '' where there was none. */
  readonly lastEnd: string;
}

export type PodObject = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

/** All but the proxy's own answers. */
export const proxyFacts = (pod: PodObject): Omit<ProxyFacts, 'settings' | 'status' | 'ready' | 'prospect'> => {
  const parsed = PodSchema.safeParse(pod);
  const told = mapOf(pod.metadata.annotations?.[STATUS]);
  const status = isMap(pod.status) ? pod.status : {};
  return {
    namespace: pod.metadata.namespace ?? '',
    pod: pod.metadata.name,
    phase: textOf(status['phase']),
    asks: parsed.success && wishOf(parsed.data) === true,
    unclear: oddInjectValue(pod.metadata.annotations?.[INJECT], pod.metadata.labels?.[INJECT]),
    isOwned: (pod.metadata.ownerReferences ?? []).some(({ controller }) => controller === true),
    container: containerOf(pod, status),
    skippedEnv: Array.isArray(told['skippedEnv']) ? told['skippedEnv'].filter((item) => typeof item === 'string') : [],
    upstreams: Object.fromEntries(
      Object.entries(isMap(told['upstreams']) ? told['upstreams'] : {}).flatMap(([provider, url]) =>
        typeof url === 'string' ? [[provider, url]] : [],
      ),
    ),
  };
};

const USUAL_ADMIN_PORT = 4190;

const containerOf = (pod: PodObject, status: Readonly<Record<string, unknown>>): ProxyContainer | null => {
  const spec = namedIn(isMap(pod.spec) ? pod.spec['initContainers'] : undefined);
  if (spec === null) return null;
  const said = namedIn(status['initContainerStatuses']) ?? {};
  const state = isMap(said['state']) ? said['state'] : {};
  const [waiting, terminated] = [reasonIn(state['waiting']), reasonIn(state['terminated'])];
  const admin = (Array.isArray(spec['ports']) ? spec['ports'] : []).find(
    (port: unknown) => isMap(port) && port['name'] === 'tollgate-admin',
  ) as { readonly containerPort?: unknown } | undefined;
  return {
    image: textOf(spec['image']),
    adminPort: typeof admin?.containerPort === 'number' ? admin.containerPort : USUAL_ADMIN_PORT,
    isReady: said['ready'] === true,
    isRunning: isMap(state['running']),
    restarts: typeof said['restartCount'] === 'number' ? said['restartCount'] : 0,
    trouble: waiting || terminated,
    lastEnd: reasonIn(isMap(said['lastState']) ? said['lastState']['terminated'] : undefined),
  };
};

const namedIn = (list: unknown): Readonly<Record<string, unknown>> | null =>
  (Array.isArray(list) ? list : []).find(
    (one: unknown): one is Readonly<Record<string, unknown>> => isMap(one) && one['name'] === PROXY_CONTAINER,
  ) ?? null;

const reasonIn = (state: unknown): string => (isMap(state) ? textOf(state['reason']) : '');

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
