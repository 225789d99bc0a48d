/** A call to the API server that was not answered as asked, with what the server's own `Status` object says of it. */

/** What a call fails with besides what the caller aborted: that throws the reason of the caller's signal. */
export class KubeFault extends Error {
  override readonly name = 'KubeFault';
  readonly code = 'KUBE_FAULT';
  /** The HTTP status; 0 where no answer came (then `reason` is `Unreachable` or `DeadlineExceeded`). */
  readonly status: number;
  /** The server's machine-readable reason: `Conflict`, `AlreadyExists`, `Expired`, `Forbidden`…; '' where it gave none. */
  readonly reason: string;
  /** How long the server asks to stay away, in milliseconds; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** Reasons of single causes, such as `ResourceVersionTooLarge` or `FieldManagerConflict`. */
  readonly causes: readonly string[];

  constructor({ status, reason, message, retryAfterMs = null, causes = [], cause }: KubeFaultFields) {
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.causes = causes;
  }
}

export interface KubeFaultFields {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs?: number | null;
  readonly causes?: readonly string[];
  readonly cause?: unknown;
}

/** The object is not there (or its namespace, or its kind). */
export const isNotFound = (error: unknown): boolean => error instanceof KubeFault && error.status === 404;

/** Someone else wrote first, or the name is taken. */
export const isConflict = (error: unknown): boolean => error instanceof KubeFault && error.status === 409;

/**
 * The resource version cannot be gone on from: compacted away (410), or ahead of the server, as after etcd was restored
 * from a backup.
 */
export const isExpired = (error: unknown): boolean =>
  error instanceof KubeFault &&
  (error.status === 410 ||
    error.reason === 'Expired' ||
    error.reason === 'Gone' ||
    error.causes.includes('ResourceVersionTooLarge'));

/** No answer came: the server may or may not have done what it was asked. */
export const isUnreachable = (error: unknown): boolean => error instanceof KubeFault && error.status === 0;

/**
 * The fault that an answer tells: its `Status` object, read leniently since a load balancer before the server answers in
 * HTML.
 *
 * @param what the call in words, put before the server's message: `get Pod team-a/web`.
 */
export const faultOfAnswer = (
  what: string,
  status: number,
  body: string,
  retryAfterHeader: string | undefined,
): KubeFault => {
  const told = readStatus(parsed(body));
  const seconds = told.retryAfterSeconds ?? wholeSeconds(retryAfterHeader);
  return new KubeFault({
    status,
    reason: told.reason ?? '',
    message: `${what}: ${told.message ?? `HTTP ${status}`}`,
    retryAfterMs: seconds === null ? null : seconds * 1000,
    causes: told.causes,
  });
};

/** The fault that an `ERROR` event of a watch carries: a `Status` object in place of an object. */
export const faultOfStatus = (what: string, object: unknown): KubeFault => {
  const told = readStatus(object);
  return new KubeFault({
    status: told.code ?? 500,
    reason: told.reason ?? '',
    message: `${what}: ${told.message ?? 'the watch ended with an error that it does not name'}`,
    retryAfterMs: told.retryAfterSeconds === null ? null : told.retryAfterSeconds * 1000,
    causes: told.causes,
  });
};

interface ToldStatus {
  readonly code: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly retryAfterSeconds: number | null;
  readonly causes: readonly string[];
}

const MESSAGE_MAX = 2000;

const readStatus = (object: unknown): ToldStatus => {
  const details = fieldOf(object, 'details');
  const seconds = fieldOf(details, 'retryAfterSeconds');
  const code = fieldOf(object, 'code');
  const causes = fieldOf(details, 'causes');
  return {
    code: typeof code === 'number' ? code : null,
    reason: textOf(fieldOf(object, 'reason')),
    message: textOf(fieldOf(object, 'message'))?.slice(0, MESSAGE_MAX) ?? null,
    retryAfterSeconds: typeof seconds === 'number' && seconds > 0 ? seconds : null,
    causes: Array.isArray(causes) ? causes.flatMap((cause: unknown) => textOf(fieldOf(cause, 'reason')) ?? []) : [],
  };
};

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};

/** The API server sends whole seconds; a date, which the header may also hold, it never sends. */
const wholeSeconds = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : null;
