/**
 * How a call shall go wrong, or otherwise differ from the plain case. One vocabulary, three ways in: `x-mock-<key>`
 * headers, a model name that ends in `~<key>=<value>` pairs, and the simulator's own `script`.
 */
export const USAGE_LIES = [
  'missing',
  'null',
  'negative',
  'infinite',
  'text',
  'fraction',
  'zero',
  'cached-over-prompt',
  'over-hold',
  'twice',
  'shrinking',
  'early',
] as const;

/**
 * What the answer says instead of the true usage: nothing; null; −5; 1e308; "12"; 1.5; 0; more cached than sent; a
 * billion of each; two usage frames, the latter right; two, the latter smaller; usage first and then more text.
 * The bill keeps the truth.
 */
export type UsageLie = (typeof USAGE_LIES)[number];

export interface Behaviour {
  readonly delayMs?: number;
  readonly chunkDelayMs?: number;
  /** Tokens in one chunk of a stream. */
  readonly chunkTokens?: number;
  readonly status?: number;
  readonly errorBody?: string;
  readonly errorType?: string;
  readonly retryAfter?: string;
  readonly abortAfterChunks?: number;
  readonly abortAfterBytes?: number;
  /** A reset (RST) or an orderly close (FIN) in the middle of the body. */
  readonly abortKind?: 'reset' | 'close';
  /** Never goes on: before the head, after it, or after so many chunks. */
  readonly hang?: 'head' | 'body' | number;
  /** An error event inside the stream, after so many chunks. */
  readonly errorAfterChunks?: number;
  readonly usage?: UsageLie;
  readonly text?: string;
  /** Content that looks like the protocol's own usage and end. */
  readonly forge?: boolean;
  readonly setCookie?: boolean;
  readonly redirect?: string;
  /** So many 103 answers before the real one. */
  readonly informational?: number;
  readonly endless?: boolean;
  /** One line of so many bytes, generated as it is sent. */
  readonly lineBytes?: number;
  /** Widens the answer's text to about so many bytes. */
  readonly bodyBytes?: number;
  readonly echoAuthorization?: boolean;
  readonly lineEnding?: 'lf' | 'crlf' | 'cr';
  readonly comments?: boolean;
  readonly keepAlives?: number;
  readonly bom?: boolean;
  readonly noFinalNewline?: boolean;
  /** Writes of so many bytes, or a cut inside each character of several bytes. */
  readonly split?: number | 'characters';
  readonly gzip?: boolean;
  /** How long the model would speak, before any cap. */
  readonly outputTokens?: number;
  /** What was truly used, whatever was sent: these are billed and reported. */
  readonly usageInput?: number;
  readonly usageCached?: number;
  readonly usageCacheWrite5m?: number;
  readonly usageCacheWrite1h?: number;
  readonly usageOutput?: number;
  readonly usageReasoning?: number;
  /** Changes nothing: the log repeats it, so that a test finds its own call there. */
  readonly label?: string;
}

export class BehaviourFault extends Error {
  readonly code = 'bad_behaviour';
}

const METADATA_ADDRESS = 'http://169.254.169.254/latest/meta-data/';

const READERS: Readonly<Record<string, (value: string) => Behaviour>> = {
  delay: (value) => ({ delayMs: count(value) }),
  'chunk-delay': (value) => ({ chunkDelayMs: count(value) }),
  'chunk-tokens': (value) => ({ chunkTokens: Math.max(1, count(value)) }),
  status: (value) => ({ status: count(value) }),
  'error-body': (value) => ({ errorBody: decode(value) }),
  'error-type': (value) => ({ errorType: value }),
  'retry-after': (value) => ({ retryAfter: value }),
  'abort-after-chunks': (value) => ({ abortAfterChunks: count(value) }),
  'abort-after-bytes': (value) => ({ abortAfterBytes: count(value) }),
  abort: (value) => ({ abortKind: oneOf(['reset', 'close'], value) }),
  hang: (value) => ({ hang: /^[0-9]+$/.test(value) ? count(value) : oneOf<'head' | 'body'>(['head', 'body'], value) }),
  'error-after-chunks': (value) => ({ errorAfterChunks: count(value) }),
  usage: (value) => ({ usage: oneOf(USAGE_LIES, value) }),
  text: (value) => ({ text: decode(value) }),
  forge: (value) => ({ forge: claim(value) }),
  'set-cookie': (value) => ({ setCookie: claim(value) }),
  redirect: (value) => ({ redirect: value === 'metadata' ? METADATA_ADDRESS : value }),
  informational: (value) => ({ informational: count(value) }),
  endless: (value) => ({ endless: claim(value) }),
  'line-bytes': (value) => ({ lineBytes: count(value) }),
  'body-bytes': (value) => ({ bodyBytes: count(value) }),
  'echo-authorization': (value) => ({ echoAuthorization: claim(value) }),
  'line-ending': (value) => ({ lineEnding: oneOf(['lf', 'crlf', 'cr'], value) }),
  comments: (value) => ({ comments: claim(value) }),
  'keep-alives': (value) => ({ keepAlives: count(value) }),
  bom: (value) => ({ bom: claim(value) }),
  'no-final-newline': (value) => ({ noFinalNewline: claim(value) }),
  split: (value) => ({ split: value === 'characters' ? 'characters' : Math.max(1, count(value)) }),
  gzip: (value) => ({ gzip: claim(value) }),
  'output-tokens': (value) => ({ outputTokens: count(value) }),
  'usage-input': (value) => ({ usageInput: count(value) }),
  'usage-cached': (value) => ({ usageCached: count(value) }),
  'usage-cache-write-5m': (value) => ({ usageCacheWrite5m: count(value) }),
  'usage-cache-write-1h': (value) => ({ usageCacheWrite1h: count(value) }),
  'usage-output': (value) => ({ usageOutput: count(value) }),
  'usage-reasoning': (value) => ({ usageReasoning: count(value) }),
  label: (value) => ({ label: value }),
};

/** Every key that a header or a model suffix may name. */
export const BEHAVIOUR_KEYS: readonly string[] = Object.keys(READERS);

/** An unknown key or value throws: a misspelt test must not pass as the plain case. */
export const readBehaviour = (pairs: Iterable<readonly [string, string]>): Behaviour => {
  let behaviour: Behaviour = {};
  for (const [key, value] of pairs) {
    const read = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
    if (read === undefined) throw new BehaviourFault(`the simulator knows no behaviour '${key}'`);
    behaviour = { ...behaviour, ...read(value) };
  }
  return behaviour;
};

const HEADER_PREFIX = 'x-mock-';

export const headerPairs = (headers: NodeJS.Dict<string | string[]>): [string, string][] => {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(HEADER_PREFIX) && value !== undefined)
      pairs.push([name.slice(HEADER_PREFIX.length), String(value)]);
  }
  return pairs;
};

/** `gpt-4o~status=500~retry-after=2` → the model's name, and what its suffix asks for. */
export const splitModel = (written: string): { readonly model: string; readonly pairs: [string, string][] } => {
  const [model = '', ...suffixes] = written.split('~');
  const pairs = suffixes.map((suffix): [string, string] => {
    const equals = suffix.indexOf('=');
    return equals < 0 ? [suffix, 'true'] : [suffix.slice(0, equals), suffix.slice(equals + 1)];
  });
  return { model, pairs };
};

const count = (value: string): number => {
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(number)) throw new BehaviourFault(`'${value}' is no count`);
  return number;
};

const claim = (value: string): boolean => {
  if (value !== 'true' && value !== '1' && value !== 'false' && value !== '0')
    throw new BehaviourFault(`'${value}' is neither true nor false`);
  return value === 'true' || value === '1';
};

/** Texts may be percent-encoded, since neither a header nor a path can carry every character. */
const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

const oneOf = <T extends string>(allowed: readonly T[], value: string): T => {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new BehaviourFault(`'${value}' is none of ${allowed.join(', ')}`);
  return found;
};
