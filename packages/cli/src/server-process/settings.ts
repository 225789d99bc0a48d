/** The settings of `tollgate server`, from the environment over `.env` over the file that TOLLGATE_CONFIG names. */
import { LOG_LEVELS, readEnv, type Env, type ListenAddress, type LogLevel } from '@tollgate/runtime';

export interface ServerSettings {
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  /** Null: balances lie in this process. */
  readonly redisUrl: string | null;
  readonly listen: ListenAddress;
  readonly tokenFile: string;
  readonly systemNamespace: string;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

/** Throws a `ConfigFault` that names every fault. */
export const readServerSettings = (env: Env): ServerSettings =>
  readEnv(env, (read) => ({
    databaseUrl: read.text('DATABASE_URL'),
    databaseConnections: read.integer('TOLLGATE_DATABASE_CONNECTIONS', { min: 1, max: 200, fallback: 10 }),
    redisUrl: read.optionalText('REDIS_URL'),
    listen: read.listen('TOLLGATE_LISTEN', '127.0.0.1:4180'),
    tokenFile: read.text('TOLLGATE_TOKEN_FILE'),
    systemNamespace: read.text('TOLLGATE_SYSTEM_NAMESPACE', 'tollgate-system'),
    graceMs: read.integer('TOLLGATE_GRACE_MS', { min: 1, max: 86_400_000, fallback: 25_000 }),
    logLevel: read.oneOf('TOLLGATE_LOG_LEVEL', LOG_LEVELS, 'info'),
  }));
