import type { ErrorShape, FormatId, Provider } from '../format.ts';
import { MOUNTS, type Mount, PATHS, type PathRow } from './path-table.ts';

/** What is to happen to a request, by its method and target alone. `upstreamPath` keeps the query as it came. */
export type PathFate =
  | {
      readonly fate: 'metered';
      readonly provider: Provider;
      readonly shape: ErrorShape;
      readonly format: FormatId;
      readonly upstreamPath: string;
      /** From the path: Gemini's model. */
      readonly model: string | null;
      /** From the path: Azure's deployment, which decides the model there. */
      readonly deployment: string | null;
      /** The path itself asks for a stream. */
      readonly stream: boolean;
    }
  | {
      readonly fate: 'free' | 'unknown';
      readonly provider: Provider;
      readonly shape: ErrorShape;
      readonly upstreamPath: string;
    }
  | { readonly fate: 'invalid'; readonly error: PathError; readonly message: string };

export type PathError = 'not_found' | 'method_not_allowed' | 'bad_request';

/**
 * Plain segments only: no escapes at all, since two readers may undo them differently (`%2e`, `%2f`, `%3A`), no empty, `.` or
 * `..` segment, no parameters (`;`), no slash at the end. Whatever else a target may be has no fate but "not found".
 */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)+$/;
const PLAIN_QUERY = /^[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
const MAX_TARGET = 8192;

export const pathFate = (method: string, target: string): PathFate => {
  if (method === 'TRACE' || method === 'CONNECT')
    return invalid('method_not_allowed', `the method ${method} is not served`);
  if (!target.startsWith('/') || target.length > MAX_TARGET)
    return invalid('bad_request', 'the request target must be a path');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark);
  const mount =
    PLAIN_PATH.test(path) && PLAIN_QUERY.test(query) ? MOUNTS.find((each) => isBelow(path, each)) : undefined;
  if (mount === undefined) return invalid('not_found', 'no provider has this path');
  const upstream = mount.upstream + path.slice(mount.prefix.length);
  return fateOf(mount.provider, method === 'HEAD' ? 'GET' : method, upstream, query);
};

const invalid = (error: PathError, message: string): PathFate => ({ fate: 'invalid', error, message });

/** A prefix without a slash at its end is a whole segment. */
const isBelow = (path: string, { prefix }: Mount): boolean =>
  path.startsWith(prefix) && (prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/');

const fateOf = (provider: Provider, method: string, path: string, query: string): PathFate => {
  const compiled = BY_PROVIDER[provider];
  const upstreamPath = path + query;
  let isKnown = false;
  for (const { row, pattern } of compiled.exact.get(path) ?? compiled.patterns) {
    const match = pattern.exec(path);
    if (match === null) continue;
    isKnown = true;
    if (row.methods.some((each) => each === method)) return rowFate(row, upstreamPath, match.groups);
  }
  if (isKnown) return invalid('method_not_allowed', `the method ${method} is not served on this path`);
  // Some hosts ignore case: a priced path in other letters must not pass as an unknown one.
  if (compiled.metered.some((pattern) => pattern.test(path))) return invalid('not_found', 'no provider has this path');
  return { fate: 'unknown', provider, shape: shapeOf(provider, path), upstreamPath };
};

const rowFate = (
  row: PathRow,
  upstreamPath: string,
  groups: Readonly<Record<string, string>> | undefined,
): PathFate => {
  const shape = shapeOf(row.provider, row.path);
  if (row.fate !== 'metered') return { fate: row.fate, provider: row.provider, shape, upstreamPath };
  return {
    fate: 'metered',
    provider: row.provider,
    shape,
    format: row.format,
    upstreamPath,
    model: groups?.model ?? null,
    deployment: groups?.deployment ?? null,
    stream: row.stream,
  };
};

/** Google, Anthropic and Azure have doors for other providers' clients, which expect those providers' errors. */
const shapeOf = (provider: Provider, path: string): ErrorShape => {
  if (provider === 'gemini') return /^\/[^/]+\/openai\//.test(path) ? 'openai' : 'gemini';
  if (provider === 'azure') return path.startsWith('/anthropic/') ? 'anthropic' : 'openai';
  if (provider === 'anthropic') return path === '/v1/chat/completions' ? 'openai' : 'anthropic';
  return 'openai';
};

interface CompiledRow {
  readonly row: PathRow;
  readonly pattern: RegExp;
}

interface Compiled {
  /** Paths without a placeholder, which are most calls, are found at once. */
  readonly exact: ReadonlyMap<string, readonly CompiledRow[]>;
  readonly patterns: readonly CompiledRow[];
  readonly metered: readonly RegExp[];
}

/** OpenAI's model names hold colons (`ft:gpt-4o:org::id`); with Google a colon begins the method. */
const source = ({ path, provider }: PathRow): string =>
  path
    .replace(/[.*]/g, (char) => (char === '*' ? '.+' : '\\.'))
    .replace(/\{([a-z]+)\}/g, (_, name: string) => {
      const segment = provider === 'openai' ? '[^/]+' : '[^/:]+';
      return name === 'model' || name === 'deployment' ? `(?<${name}>${segment})` : segment;
    });

const compile = (provider: Provider): Compiled => {
  const all = PATHS.filter((row) => row.provider === provider).map((row) => ({
    row,
    pattern: new RegExp(`^${source(row)}$`),
  }));
  const exact = new Map<string, CompiledRow[]>();
  for (const each of all.filter(({ row }) => !/[{*]/.test(row.path)))
    exact.set(each.row.path, [...(exact.get(each.row.path) ?? []), each]);
  return {
    exact,
    patterns: all.filter(({ row }) => /[{*]/.test(row.path)),
    metered: all.filter(({ row }) => row.fate === 'metered').map(({ row }) => new RegExp(`^${source(row)}$`, 'i')),
  };
};

const BY_PROVIDER: Readonly<Record<Provider, Compiled>> = {
  openai: compile('openai'),
  anthropic: compile('anthropic'),
  gemini: compile('gemini'),
  azure: compile('azure'),
};
