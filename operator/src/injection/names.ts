/** Names that pods, namespaces and workloads carry: the contract with users, the chart, the operator and the CLI. */

const PREFIX = 'tollgate.dev/';

/** On a pod template as annotation or label, on a workload's own metadata as annotation: `"true"` or `"false"`. */
export const INJECT = `${PREFIX}inject`;
/** Label of a namespace: `enabled`, `required` or `disabled`. */
export const INJECTION = `${PREFIX}injection`;

/** Label written at injection: what the operator watches pods by. */
export const INJECTED = `${PREFIX}injected`;
/** Annotation written at injection: `InjectionStatus` as JSON. */
export const STATUS = `${PREFIX}status`;

/**
 * Annotations of a pod that change how it is injected; `setting-meanings.ts` says what each does. A value that cannot be
 * used gives a warning and the default.
 */
export const SETTING = {
  providers: `${PREFIX}providers`,
  containers: `${PREFIX}containers`,
  rewriteEnv: `${PREFIX}rewrite-env`,
  logLevel: `${PREFIX}log-level`,
  port: `${PREFIX}proxy-port`,
  adminPort: `${PREFIX}proxy-admin-port`,
  cpuRequest: `${PREFIX}proxy-cpu-request`,
  cpuLimit: `${PREFIX}proxy-cpu-limit`,
  memoryRequest: `${PREFIX}proxy-memory-request`,
  memoryLimit: `${PREFIX}proxy-memory-limit`,
} as const;

/** What is carried from a workload's metadata to its pod template, and off again. */
export const CARRIED: readonly string[] = [INJECT, ...Object.values(SETTING)];

export const PROXY_CONTAINER = 'tollgate-proxy';

/** Volumes of the proxy. Nobody else in the pod may mount them. */
export const VOLUME = {
  /** Its token, and the keys of the routes that are for the pod. */
  identity: 'tollgate',
  spool: 'tollgate-spool',
  /** Empty, over the place where the API server's own admission would put the pod's default token. */
  noApiToken: 'tollgate-no-api-token',
} as const;

export const PATH = {
  identity: '/var/run/secrets/tollgate',
  token: '/var/run/secrets/tollgate/token',
  keys: '/var/run/secrets/tollgate/keys',
  spool: '/var/lib/tollgate/spool',
  apiToken: '/var/run/secrets/kubernetes.io/serviceaccount',
} as const;

/** Whom the proxy's token is for; the server accepts it only from a pod that carries the proxy. */
export const TOKEN_AUDIENCE = 'tollgate';

/** Others' names that mean something here. */
export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
export const MIRROR = 'kubernetes.io/config.mirror';
/** Without it a node with a pod that has an emptyDir is never scaled down. A list of volumes that may be lost. */
export const EVICTABLE_VOLUMES = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';

/** Containers that carry the pod's own traffic: the proxy starts after them, and they are not applications. */
export const MESH_CONTAINERS: ReadonlySet<string> = new Set([
  'istio-init',
  'istio-validation',
  'istio-proxy',
  'linkerd-init',
  'linkerd-network-validator',
  'linkerd-proxy',
  'kuma-init',
  'kuma-validation',
  'kuma-sidecar',
  'consul-connect-inject-init',
  'consul-dataplane',
]);

export const LINKERD_PROXY = 'linkerd-proxy';
/** Linkerd's proxy listens there for its own control. */
export const LINKERD_CONTROL_PORT = 4190;
