/**
 * The proxy's container and volumes, as they are put into a pod: a native sidecar that passes Pod Security `restricted` and
 * names no user, so that platforms which assign users may.
 */
import type { Subject } from '@tollgate/api';
import type { ProviderId, RouteKey } from './facts.ts';
import { PATH, PROXY_CONTAINER, TOKEN_AUDIENCE, VOLUME } from './names.ts';
import type { EnvVar, Volume } from './pod.ts';
import type { PodSettings } from './pod-settings.ts';
import type { ProxyPorts } from './proxy-ports.ts';
import type { InjectionSettings } from './settings.ts';

export interface ProxyPlan {
  readonly settings: InjectionSettings;
  readonly podSettings: Pick<PodSettings, 'logLevel' | 'resources'>;
  readonly ports: ProxyPorts;
  readonly subject: Subject;
  readonly upstreams: Readonly<Partial<Record<ProviderId, string>>>;
  readonly dialsPrivate: boolean;
  readonly keys: readonly RouteKey[];
  readonly wayOut: readonly EnvVar[];
  /** Null: none is named. */
  readonly runAsUser: number | null;
}

/** In one form whatever came before: equal plans give equal containers. */
export interface ProxyContainer {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly restartPolicy: 'Always';
  readonly env: readonly EnvVar[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol: 'TCP' }[];
  readonly startupProbe: unknown;
  readonly livenessProbe: unknown;
  readonly resources: unknown;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export const proxyContainer = (plan: ProxyPlan): ProxyContainer => {
  const { settings, podSettings, ports, runAsUser } = plan;
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = podSettings.resources;
  return {
    name: PROXY_CONTAINER,
    image: settings.proxyImage,
    ...(settings.imagePullPolicy === null ? {} : { imagePullPolicy: settings.imagePullPolicy }),
    restartPolicy: 'Always',
    env: proxyEnv(plan),
    ports: [
      { name: 'tollgate-proxy', containerPort: ports.port, protocol: 'TCP' },
      { name: 'tollgate-admin', containerPort: ports.adminPort, protocol: 'TCP' },
    ],
    // Applications start once the port listens; the first call waits for its policy by itself.
    startupProbe: probe('/startupz', ports, { periodSeconds: 1, failureThreshold: 60 }),
    livenessProbe: probe('/livez', ports, { periodSeconds: 10, failureThreshold: 6 }),
    // No readiness probe: a control plane that is away must not take the application out of its Service.
    resources: {
      requests: { cpu: cpuRequest, memory: memoryRequest },
      limits: { ...(cpuLimit === null ? {} : { cpu: cpuLimit }), memory: memoryLimit },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...(runAsUser === null ? {} : { runAsUser }),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: VOLUME.identity, mountPath: PATH.identity, readOnly: true },
      { name: VOLUME.spool, mountPath: PATH.spool },
      { name: VOLUME.noApiToken, mountPath: PATH.apiToken, readOnly: true },
    ],
  };
};

const probe = (
  path: string,
  { adminPort }: ProxyPorts,
  pace: { readonly periodSeconds: number; readonly failureThreshold: number },
): unknown => ({ httpGet: { path, port: adminPort }, ...pace });

const proxyEnv = ({
  settings,
  podSettings,
  ports,
  subject,
  upstreams,
  dialsPrivate,
  keys,
  wayOut,
}: ProxyPlan): readonly EnvVar[] => {
  const { serverUrl, adminHost, proxyEnv: further, requireBudget, allowPrivateUpstreams } = settings;
  const host = adminHost.includes(':') ? `[${adminHost}]` : adminHost;
  const set = {
    // First, so that nothing that is set on purpose below is overruled.
    ...further,
    TOLLGATE_SERVER_URL: serverUrl,
    TOLLGATE_TOKEN_FILE: PATH.token,
    TOLLGATE_SPOOL_DIR: PATH.spool,
    TOLLGATE_LISTEN: `127.0.0.1:${ports.port}`,
    TOLLGATE_ADMIN_LISTEN: `${host}:${ports.adminPort}`,
    TOLLGATE_LOG_LEVEL: podSettings.logLevel,
    TOLLGATE_SUBJECT: JSON.stringify(subject),
    ...(keys.length === 0 ? {} : { TOLLGATE_SECRETS_DIR: PATH.keys }),
    ...(requireBudget ? { TOLLGATE_REQUIRE_BUDGET: 'true' } : {}),
    ...(dialsPrivate || allowPrivateUpstreams ? { TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true' } : {}),
    ...Object.fromEntries(
      Object.entries({ ...settings.upstreams, ...upstreams }).flatMap(([provider, url]) =>
        url == null ? [] : [[upstreamVariable(provider), url] as const],
      ),
    ),
  };
  return [...Object.entries(set).map(([name, value]) => ({ name, value: unexpanded(value) })), ...wayOut];
};

export const upstreamVariable = (provider: string): string => `TOLLGATE_UPSTREAM_${provider.toUpperCase()}`;

/** kubelet would put variables into `$(NAME)`. */
const unexpanded = (value: string): string => value.replaceAll('$(', '$$(');

/** Volumes that the proxy mounts. Defaults are written out, so that what the API server stored compares equal. */
export const proxyVolumes = ({ settings, keys }: Pick<ProxyPlan, 'settings' | 'keys'>): readonly Volume[] => [
  {
    name: VOLUME.identity,
    projected: {
      defaultMode: 0o644,
      sources: [
        {
          serviceAccountToken: { audience: TOKEN_AUDIENCE, expirationSeconds: settings.tokenSeconds, path: 'token' },
        },
        // A Secret that is not there yet, or not any more, must not keep the pod from starting.
        ...secretsOf(keys).map(([name, items]) => ({
          secret: { name, optional: true, items: items.map((key) => ({ key, path: `keys/${name}/${key}` })) },
        })),
      ],
    },
  },
  { name: VOLUME.spool, emptyDir: { sizeLimit: settings.spoolSizeLimit } },
  { name: VOLUME.noApiToken, emptyDir: { medium: 'Memory', sizeLimit: '64Ki' } },
];

/** By Secret, each with its keys, in one order. */
const secretsOf = (keys: readonly RouteKey[]): readonly (readonly [string, readonly string[]])[] => {
  const bySecret = Map.groupBy(keys, ({ secret }) => secret);
  return [...bySecret]
    .map(([secret, found]) => [secret, [...new Set(found.map(({ key }) => key))].sort()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
};
