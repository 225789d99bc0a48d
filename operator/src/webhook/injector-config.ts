/** The injector process's own settings, read once from the environment; what pods get is in the settings file. */
import { LOG_LEVELS, type EnvReader, type ListenAddress, type LogLevel } from '@tollgate/runtime';

export interface InjectorConfig {
  /** Path of the file with what pods get (`InjectionSettings`). */
  readonly injectionFile: string;
  /** Where Tollgate itself runs: there is the Secret with the certificate. */
  readonly systemNamespace: string;
  readonly tlsSecret: string;
  /** Name of the MutatingWebhookConfiguration. */
  readonly configuration: string;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress;
  /** A kubeconfig; null in a cluster. */
  readonly kubeconfig: string | null;
  /** This replica's name, for Events. */
  readonly instance: string | null;
  /** From not ready to no more connections: the time that Endpoints take to reach every API server. */
  readonly drainMs: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

const HOUR_MS = 3_600_000;

export const readInjectorConfig = (read: EnvReader): InjectorConfig => ({
  injectionFile: read.text('TOLLGATE_INJECTION_FILE'),
  systemNamespace: read.text('TOLLGATE_SYSTEM_NAMESPACE', 'tollgate-system'),
  tlsSecret: read.text('TOLLGATE_WEBHOOK_TLS_SECRET', 'tollgate-webhook-tls'),
  configuration: read.text('TOLLGATE_WEBHOOK_CONFIGURATION', 'tollgate-injector'),
  // 10250 is open from the API server to nodes in private clusters whose firewalls let nothing else through.
  listen: read.listen('TOLLGATE_LISTEN', '[::]:10250'),
  admin: read.listen('TOLLGATE_ADMIN_LISTEN', '0.0.0.0:4190'),
  kubeconfig: read.optionalText('KUBECONFIG'),
  instance: read.optionalText('TOLLGATE_POD_NAME'),
  drainMs: read.integer('TOLLGATE_DRAIN_MS', { min: 0, max: HOUR_MS, fallback: 5_000 }),
  graceMs: read.integer('TOLLGATE_GRACE_MS', { min: 1, max: HOUR_MS, fallback: 25_000 }),
  logLevel: read.oneOf('TOLLGATE_LOG_LEVEL', LOG_LEVELS, 'info'),
});
