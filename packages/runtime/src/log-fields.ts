/** Which fields a log line may carry, and in what form. A field that is not listed is left out: allow-list, not redaction. */

/** Names equal the metric labels and the columns of the ledger where they mean the same. */
// prettier-ignore
export const LOG_FIELDS = [
  // who
  'organisation', 'namespace', 'workload', 'pod', 'serviceAccount', 'team', 'instance', 'process',
  // which call
  'requestId', 'attempt', 'seq', 'provider', 'format', 'model', 'route', 'backend', 'stream', 'status', 'settle', 'unproven', 'method', 'path',
  // which budget
  'budget', 'limit', 'partition', 'window', 'windowId', 'unit', 'epoch', 'leaseId', 'counters', 'enforcement', 'preset',
  // how much
  'amount', 'need', 'prefer', 'left', 'held', 'charged', 'charge', 'cost', 'tokens', 'inputTokens', 'outputTokens', 'count', 'bytes', 'size',
  // what happened
  'reason', 'code', 'signal', 'exitCode', 'outcome', 'fault', 'faults', 'failed', 'late', 'err', 'state', 'step',
  // when, in milliseconds
  'durationMs', 'waitMs', 'retryInMs', 'resetMs', 'graceMs', 'ageMs', 'idleMs',
  // where and what
  'url', 'address', 'host', 'port', 'file', 'dir', 'resource', 'kind', 'name', 'generation', 'version', 'snapshot', 'priceVersion', 'contract',
  'migration', 'backlog', 'ack', 'lastSeq', 'records', 'segments', 'proxies', 'subjects', 'connections', 'pid', 'setting', 'command',
] as const;

export type LogField = (typeof LOG_FIELDS)[number];
export type LogValue = string | number | boolean | bigint | null | undefined | readonly string[];
export type LogFields = { readonly [F in Exclude<LogField, 'err'>]?: LogValue } & { readonly err?: unknown };

const ALLOWED: ReadonlySet<string> = new Set(LOG_FIELDS);
const TEXT_MAX = 512;
const LIST_MAX = 20;

/** The fields that may be written, each a plain value; `omitted` counts the others. */
export const plainFields = (fields: LogFields): Record<string, unknown> => {
  const plain: Record<string, unknown> = {};
  let omitted = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const written = ALLOWED.has(name) ? plainValue(name, value) : undefined;
    if (written === undefined) omitted += 1;
    else plain[name] = written;
  }
  if (omitted > 0) plain['omitted'] = omitted;
  return plain;
};

const plainValue = (name: string, value: unknown): unknown => {
  if (name === 'err') return plainError(value);
  if (name === 'url' && typeof value === 'string') return plainUrl(value);
  if (name === 'path' && typeof value === 'string') return plainText(value.replace(/[?#].*$/s, ''));
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return value.toString();
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, LIST_MAX).map((item: unknown) => (typeof item === 'string' ? plainText(item) : '?'));
};

// JSON escapes control characters, so a line stays one line; U+2028/2029 and terminal controls above ASCII it leaves alone.
const plainText = (text: string): string =>
  (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );

/** Origin and path: a query or user part may hold a key. */
const plainUrl = (text: string): string => {
  const url = URL.parse(text);
  return url === null ? 'invalid' : plainText(`${url.protocol}//${url.host}${url.pathname}`);
};

/** Never the object itself: clients hang requests, headers and bodies on their errors. */
const plainError = (error: unknown): unknown => {
  if (!Error.isError(error)) return { type: typeof error };
  return {
    type: plainText(error.name),
    ...codeOf(error),
    ...(quotesInput(error) ? {} : { message: plainText(error.message) }),
    ...(Error.isError(error.cause) ? { cause: { type: plainText(error.cause.name), ...codeOf(error.cause) } } : {}),
    at: framesOf(error),
  };
};

const codeOf = (error: Error): { code?: string } =>
  'code' in error && typeof error.code === 'string' && /^[\w-]{1,64}$/.test(error.code) ? { code: error.code } : {};

/**
 * Errors whose message quotes what they were given: V8's and zod's, Node's `ERR_*` ("Received 'sk-…'") and the database's
 * (SQLSTATE, five characters).
 */
const quotesInput = (error: Error): boolean =>
  /^(SyntaxError|TypeError|RangeError|URIError|ReferenceError|ZodError|\$ZodError|DataError|AggregateError)$/.test(
    error.name,
  ) || /^(ERR_\w+|HPE_\w+|[0-9A-Z]{5})$/.test(codeOf(error).code ?? '');

/** File names and lines only; a frame that is anything else may be part of a message of several lines. */
const framesOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .flatMap(
      (line) =>
        /^\s+at (?:async )?(?:[\w.$<>[\] #]+ \()?((?:file:|node:|\/)[^()\s]*:\d+:\d+)\)?$/.exec(line)?.[1] ?? [],
    )
    .slice(0, 8)
    .map((frame) => plainText(frame.replace(/^.*\/(?=(?:sidecar|operator|packages|e2e|node_modules)\/)/, '')));
