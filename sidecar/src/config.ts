/** The proxy's settings, read once from the environment. Every fault is reported at once, by the variable's name. */
import type { Subject } from '@tollgate/api';
import { LOG_LEVELS, type EnvReader, type ListenAddress, type LogLevel } from '@tollgate/runtime';

export interface ProxyConfig {
  /** Servers of one ledger, any of which will do. */
  readonly serverUrls: readonly string[];
  /** Path of a file that holds the bearer token for the server; read anew at each use, since it rotates. */
  readonly tokenFile: string;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress;
  readonly spoolDir: string;
  readonly subject: Subject;
  readonly secretsDir: string | null;
  /** Base URLs that replace the providers' public ones. */
  readonly upstreams: {
    readonly openai: string | null;
    readonly anthropic: string | null;
    readonly gemini: string | null;
    readonly azure: string | null;
  };
  /** Keys that routes name may go there. */
  readonly upstreamsTakeKeys: boolean;
  readonly allowPrivateUpstreams: boolean;
  readonly requireBudget: boolean;
  /** Callers are others than the subject: each shows a ServiceAccount token, and is judged by its own budgets. */
  readonly requireTokens: boolean;
  readonly logLevel: LogLevel;
  readonly limits: Limits;
  readonly spoolBytes: number;
  /** How long a policy holds for Hard budgets without a word from the control plane. */
  readonly maxPolicyAgeMs: number;
  /** From one look at the connections of the pod's other containers to the next; null: never. */
  readonly directCheckMs: number | null;
}

/** Bytes and milliseconds; reliability.md 4.2 and design §7. */
export interface Limits {
  readonly bodyBytes: number;
  /** Of all request bodies that are in memory at once. */
  readonly bufferedBytes: number;
  readonly answerBytes: number;
  readonly headersMs: number;
  readonly requestMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly callMs: number;
  readonly graceMs: number;
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const DAY_MS = 86_400_000;

export const readConfig = (env: EnvReader): ProxyConfig => {
  const bytes = (name: string, fallback: number): number => env.integer(name, { min: 1024, max: GiB, fallback });
  const millis = (name: string, fallback: number): number => env.integer(name, { min: 1, max: DAY_MS, fallback });
  return {
    serverUrls: env.urls('TOLLGATE_SERVER_URL', 'http://127.0.0.1:4180'),
    tokenFile: env.text('TOLLGATE_TOKEN_FILE'),
    listen: env.listen('TOLLGATE_LISTEN', '127.0.0.1:4100'),
    admin: env.listen('TOLLGATE_ADMIN_LISTEN', '127.0.0.1:4190'),
    spoolDir: env.text('TOLLGATE_SPOOL_DIR'),
    subject: env.json('TOLLGATE_SUBJECT', parseSubject, LOCAL),
    secretsDir: env.optionalText('TOLLGATE_SECRETS_DIR'),
    upstreams: {
      openai: env.optionalUrl('TOLLGATE_UPSTREAM_OPENAI'),
      anthropic: env.optionalUrl('TOLLGATE_UPSTREAM_ANTHROPIC'),
      gemini: env.optionalUrl('TOLLGATE_UPSTREAM_GEMINI'),
      azure: env.optionalUrl('TOLLGATE_UPSTREAM_AZURE'),
    },
    upstreamsTakeKeys: env.flag('TOLLGATE_UPSTREAM_TAKES_KEYS', false),
    allowPrivateUpstreams: env.flag('TOLLGATE_ALLOW_PRIVATE_UPSTREAMS', false),
    requireBudget: env.flag('TOLLGATE_REQUIRE_BUDGET', false),
    requireTokens: env.flag('TOLLGATE_REQUIRE_TOKENS', false),
    logLevel: env.oneOf('TOLLGATE_LOG_LEVEL', LOG_LEVELS, 'info'),
    spoolBytes: env.integer('TOLLGATE_MAX_SPOOL_BYTES', { min: MiB, max: 64 * GiB, fallback: 256 * MiB }),
    maxPolicyAgeMs: millis('TOLLGATE_MAX_POLICY_AGE_MS', 30_000),
    directCheckMs: env.integer('TOLLGATE_DIRECT_CHECK_MS', { min: 0, max: DAY_MS, fallback: 0 }) || null,
    limits: {
      bodyBytes: bytes('TOLLGATE_MAX_BODY_BYTES', 32 * MiB),
      bufferedBytes: bytes('TOLLGATE_MAX_BUFFERED_BYTES', 64 * MiB),
      answerBytes: bytes('TOLLGATE_MAX_ANSWER_BYTES', 64 * MiB),
      headersMs: millis('TOLLGATE_HEADERS_TIMEOUT_MS', 10_000),
      requestMs: millis('TOLLGATE_REQUEST_TIMEOUT_MS', 60_000),
      firstByteMs: millis('TOLLGATE_FIRST_BYTE_TIMEOUT_MS', 600_000),
      idleMs: millis('TOLLGATE_IDLE_TIMEOUT_MS', 300_000),
      callMs: millis('TOLLGATE_CALL_TIMEOUT_MS', 1_800_000),
      graceMs: millis('TOLLGATE_GRACE_MS', 25_000),
    },
  };
};

const LOCAL: Subject = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };

const parseSubject = (value: unknown): Subject => {
  if (typeof value !== 'object' || value === null) throw new Error('must be a JSON object');
  const { namespace, workload, workloadKind, serviceAccount, pod, labels, team } = value as Record<string, unknown>;
  if (typeof namespace !== 'string' || namespace === '') throw new Error('namespace must be a non-empty text');
  if (typeof workload !== 'string' || workload === '') throw new Error('workload must be a non-empty text');
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(typeof labels === 'object' && labels !== null ? labels : {})) {
    if (typeof text !== 'string') throw new Error(`labels.${key} must be a text`);
    texts[key] = text;
  }
  return {
    namespace,
    workload,
    labels: texts,
    team: typeof team === 'string' && team !== '' ? team : namespace,
    ...(typeof workloadKind === 'string' ? { workloadKind } : {}),
    ...(typeof serviceAccount === 'string' ? { serviceAccount } : {}),
    ...(typeof pod === 'string' ? { pod } : {}),
  };
};
