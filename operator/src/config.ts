/** The operator's settings, read once from the environment. Every fault is reported at once, by the variable's name. */
import { LOG_LEVELS, type EnvReader, type ListenAddress, type LogLevel } from '@tollgate/runtime';

export interface OperatorConfig {
  /** The ledger Service. */
  readonly serverUrl: string;
  /** Path of the operator's own ServiceAccount token for the server, audience `tollgate-management`; read anew each time. */
  readonly tokenFile: string;
  /** Where Tollgate itself runs. */
  readonly systemNamespace: string;
  /** The operator's own, `namespace/name`: in the commands that grant it something. */
  readonly serviceAccount: string;
  /** Path of the injector's settings, which the operator compares pods with; null: it knows none. */
  readonly injectionFile: string | null;
  /** A kubeconfig; null in a cluster. */
  readonly kubeconfig: string | null;
  /** Null: the webhook's certificates are made elsewhere, or there is no webhook. */
  readonly webhook: WebhookConfig | null;
  readonly admin: ListenAddress;
  readonly lease: LeaseConfig;
  readonly audit: AuditConfig;
  /** From one answer of the server to the next question, in milliseconds. */
  readonly statusIntervalMs: number;
  /** Keys of one kind that are worked on at the same time. */
  readonly workers: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

/** Names of what the certificates of the webhook are kept in, and of whom they are. */
export interface WebhookConfig {
  readonly configuration: string;
  readonly service: string;
  readonly tlsSecret: string;
  readonly authoritySecret: string;
}

/** Milliseconds. */
export interface AuditConfig {
  /** From one answer of the server about pods past their proxy to the next question. */
  readonly intervalMs: number;
  /** From what age on a pod that never called is told of. */
  readonly unusedAfterMs: number;
}

export interface LeaseConfig {
  readonly name: string;
  /** Who holds it, in this process's words: the pod's name, where it is known. */
  readonly holder: string | null;
  /** How long others respect a lease that is no longer renewed. */
  readonly durationMs: number;
  /** How long the leader tries to renew before it gives up. */
  readonly renewMs: number;
  readonly retryMs: number;
}

const DAY_MS = 86_400_000;

export const readOperatorConfig = (read: EnvReader): OperatorConfig => {
  const systemNamespace = read.text('TOLLGATE_SYSTEM_NAMESPACE', 'tollgate-system');
  const millis = (name: string, fallback: number, min = 1): number =>
    read.integer(name, { min, max: DAY_MS, fallback });
  return {
    serverUrl: read.url('TOLLGATE_SERVER_URL'),
    tokenFile: read.text('TOLLGATE_TOKEN_FILE', '/var/run/secrets/tollgate/token'),
    systemNamespace,
    serviceAccount: read.text('TOLLGATE_SERVICE_ACCOUNT', `${systemNamespace}/tollgate-operator`),
    injectionFile: read.optionalText('TOLLGATE_INJECTION_FILE'),
    kubeconfig: read.optionalText('KUBECONFIG'),
    webhook: readWebhook(read),
    admin: read.listen('TOLLGATE_ADMIN_LISTEN', '0.0.0.0:4190'),
    lease: {
      name: read.text('TOLLGATE_LEASE_NAME', 'tollgate-operator'),
      holder: read.optionalText('TOLLGATE_POD_NAME'),
      durationMs: millis('TOLLGATE_LEASE_DURATION_MS', 30_000, 1_000),
      renewMs: millis('TOLLGATE_LEASE_RENEW_MS', 20_000, 500),
      retryMs: millis('TOLLGATE_LEASE_RETRY_MS', 2_500, 100),
    },
    audit: {
      intervalMs: millis('TOLLGATE_AUDIT_INTERVAL_MS', 30_000, 100),
      unusedAfterMs: millis('TOLLGATE_UNUSED_AFTER_MS', 3_600_000),
    },
    statusIntervalMs: millis('TOLLGATE_STATUS_INTERVAL_MS', 2_000, 100),
    workers: read.integer('TOLLGATE_WORKERS', { min: 1, max: 64, fallback: 4 }),
    graceMs: millis('TOLLGATE_GRACE_MS', 25_000),
    logLevel: read.oneOf('TOLLGATE_LOG_LEVEL', LOG_LEVELS, 'info'),
  };
};

const readWebhook = (read: EnvReader): WebhookConfig | null => {
  const configuration = read.optionalText('TOLLGATE_WEBHOOK_CONFIGURATION');
  if (configuration === null) return null;
  return {
    configuration,
    service: read.text('TOLLGATE_WEBHOOK_SERVICE'),
    tlsSecret: read.text('TOLLGATE_WEBHOOK_TLS_SECRET'),
    authoritySecret: read.text('TOLLGATE_WEBHOOK_CA_SECRET'),
  };
};
