/** The settings of `tollgate server`, from the environment over `.env` over the file that TOLLGATE_CONFIG names. */
import { LOG_LEVELS, readEnv, type Env, type EnvReader, type ListenAddress, type LogLevel } from '@tollgate/runtime';
import type { KubernetesTokenSettings, SignedTokenSettings } from '@tollgate/standalone';

export interface ServerSettings {
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  /** Null: balances lie in this process. */
  readonly redisUrl: string | null;
  readonly waitMs: number;
  readonly listen: ListenAddress;
  /** Of the token that proxies and people share, where they do. */
  readonly tokenFile: string | null;
  readonly adminTokenFile: string | null;
  readonly signed: SignedTokenSettings | null;
  readonly kubernetes: KubernetesTokenSettings | null;
  /** Where it is said what holds: a folder of manifests, or by the operator of a cluster. */
  readonly resourcesFrom: 'folder' | 'operator';
  /** The one ServiceAccount that may say it. */
  readonly operator: { readonly namespace: string; readonly name: string } | null;
  readonly systemNamespace: string;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

/** Throws a `ConfigFault` that names every fault. */
export const readServerSettings = (env: Env): ServerSettings =>
  readEnv(env, (read) => ({
    databaseUrl: read.text('DATABASE_URL'),
    databaseConnections: read.integer('TOLLGATE_DATABASE_CONNECTIONS', { min: 1, max: 200, fallback: 10 }),
    redisUrl: read.optionalMatch('REDIS_URL', 'redis://host:port, rediss://host:port or unix:///path', isRedisUrl),
    waitMs: read.integer('TOLLGATE_WAIT_MS', { min: 0, max: 3_600_000, fallback: 60_000 }),
    listen: read.listen('TOLLGATE_LISTEN', '127.0.0.1:4180'),
    ...tokenSettings(read),
    ...resourceSettings(read),
    systemNamespace: read.text('TOLLGATE_SYSTEM_NAMESPACE', 'tollgate-system'),
    graceMs: read.integer('TOLLGATE_GRACE_MS', { min: 1, max: 86_400_000, fallback: 25_000 }),
    logLevel: read.oneOf('TOLLGATE_LOG_LEVEL', LOG_LEVELS, 'info'),
  }));

/** The client takes any other text for the path of a socket, and would wait for one there. */
const isRedisUrl = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null) return false;
  const { protocol, hostname, pathname } = url;
  return protocol === 'unix:' ? hostname === '' && pathname.length > 1 : /^rediss?:$/.test(protocol) && hostname !== '';
};

const AUDIENCES = { ledger: 'tollgate', management: 'tollgate-management' } as const;
/** Where the kubelet mounts it into every pod. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const resourceSettings = (read: EnvReader): Pick<ServerSettings, 'resourcesFrom' | 'operator'> => {
  const resourcesFrom = read.oneOf('TOLLGATE_RESOURCES_FROM', ['folder', 'operator'], 'folder');
  if (resourcesFrom === 'folder') return { resourcesFrom, operator: null };
  const name = 'TOLLGATE_OPERATOR_SERVICE_ACCOUNT';
  const given = read.optionalMatch(name, '<namespace>/<name>', (text) => SERVICE_ACCOUNT_NAME.test(text));
  const [namespace = '', account = ''] = (given ?? read.text(name)).split('/');
  return { resourcesFrom, operator: { namespace, name: account } };
};

const SERVICE_ACCOUNT_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** One way or the other somebody must be able to prove who he is. */
const tokenSettings = (
  read: EnvReader,
): Pick<ServerSettings, 'tokenFile' | 'adminTokenFile' | 'signed' | 'kubernetes'> => {
  const keys = read.optionalText('TOLLGATE_TOKEN_KEYS');
  const kubernetes = kubernetesSettings(read);
  const isProvable = keys !== null || kubernetes !== null;
  return {
    tokenFile: isProvable ? read.optionalText('TOLLGATE_TOKEN_FILE') : read.text('TOLLGATE_TOKEN_FILE'),
    adminTokenFile: read.optionalText('TOLLGATE_ADMIN_TOKEN_FILE'),
    signed: keys === null ? null : { keys, issuer: read.text('TOLLGATE_TOKEN_ISSUER'), ...audiences(read) },
    kubernetes,
  };
};

/** Wherever the operator tells, or an API server is named. In a pod its address stands in the environment. */
const kubernetesSettings = (read: EnvReader): KubernetesTokenSettings | null => {
  const isInCluster = read.optionalText('TOLLGATE_RESOURCES_FROM') === 'operator';
  const named = read.optionalMatch('TOLLGATE_KUBERNETES_URL', 'an https URL', isHttpsUrl);
  const host = read.optionalText('KUBERNETES_SERVICE_HOST');
  const port = read.optionalText('KUBERNETES_SERVICE_PORT') ?? '443';
  const url =
    named ?? (isInCluster && host !== null ? `https://${host.includes(':') ? `[${host}]` : host}:${port}` : null);
  if (url === null) {
    // Signed tokens will do for an operator too, where the server is outside of its cluster.
    if (isInCluster && read.optionalText('TOLLGATE_TOKEN_KEYS') === null) read.text('TOLLGATE_KUBERNETES_URL');
    return null;
  }
  return {
    url,
    tokenFile: read.text('TOLLGATE_KUBERNETES_TOKEN_FILE', `${SERVICE_ACCOUNT}/token`),
    caFile: read.text('TOLLGATE_KUBERNETES_CA_FILE', `${SERVICE_ACCOUNT}/ca.crt`),
    ...audiences(read),
  };
};

const isHttpsUrl = (text: string): boolean => URL.parse(text)?.protocol === 'https:';

const audiences = (read: EnvReader): { readonly ledgerAudience: string; readonly managementAudience: string } => ({
  ledgerAudience: read.text('TOLLGATE_TOKEN_AUDIENCE', AUDIENCES.ledger),
  managementAudience: read.text('TOLLGATE_MANAGEMENT_AUDIENCE', AUDIENCES.management),
});
