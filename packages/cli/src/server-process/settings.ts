/** The settings of `tollgate server`, from the environment over `.env` over the file that TOLLGATE_CONFIG names. */
import { LOG_LEVELS, readEnv, type Env, type EnvReader, type ListenAddress, type LogLevel } from '@tollgate/runtime';
import type { SignedTokenSettings } from '@tollgate/standalone';

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

/** One way or the other somebody must be able to prove who he is. */
const tokenSettings = (read: EnvReader): Pick<ServerSettings, 'tokenFile' | 'adminTokenFile' | 'signed'> => {
  const keys = read.optionalText('TOLLGATE_TOKEN_KEYS');
  return {
    tokenFile: keys === null ? read.text('TOLLGATE_TOKEN_FILE') : read.optionalText('TOLLGATE_TOKEN_FILE'),
    adminTokenFile: read.optionalText('TOLLGATE_ADMIN_TOKEN_FILE'),
    signed:
      keys === null
        ? null
        : {
            keys,
            issuer: read.text('TOLLGATE_TOKEN_ISSUER'),
            ledgerAudience: read.text('TOLLGATE_TOKEN_AUDIENCE', 'tollgate'),
            managementAudience: read.text('TOLLGATE_MANAGEMENT_AUDIENCE', 'tollgate-management'),
          },
  };
};
