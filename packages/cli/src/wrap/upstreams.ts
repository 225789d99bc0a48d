/** What the environment of a wrapped command says of its providers: whether there are keys, and where their APIs are. */
type Env = Readonly<Record<string, string | undefined>>;

export interface Upstreams {
  readonly openai?: string;
  readonly anthropic?: string;
  readonly gemini?: string;
  readonly azure?: string;
}

const KEYS = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'AZURE_OPENAI_API_KEY',
] as const;

/** The first one that is set counts; SDKs of different ages read different names. */
const BASE_URLS = {
  openai: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'],
  anthropic: ['ANTHROPIC_BASE_URL'],
  gemini: ['GOOGLE_GEMINI_BASE_URL'],
  azure: ['AZURE_OPENAI_ENDPOINT'],
} as const;

export const hasProvider = (env: Env): boolean =>
  KEYS.some((name) => isSet(env[name])) || Object.keys(upstreamsOf(env)).length > 0;

/** Base URLs that the user has set already: the proxy forwards to them. */
export const upstreamsOf = (env: Env): Upstreams =>
  Object.fromEntries(
    Object.entries(BASE_URLS).flatMap(([provider, names]) => {
      const name = names.find((candidate) => isSet(env[candidate]));
      return name === undefined ? [] : [[provider, env[name]]];
    }),
  );

/** The environment of the command: every SDK's base URL leads to the proxy, and no other proxy stands before it. */
export const wrappedEnv = (
  env: Env,
  { proxyUrl, isMock }: { readonly proxyUrl: string; readonly isMock: boolean },
): Env => ({
  ...env,
  OPENAI_BASE_URL: `${proxyUrl}/openai/v1`,
  OPENAI_API_BASE: `${proxyUrl}/openai/v1`,
  ANTHROPIC_BASE_URL: `${proxyUrl}/anthropic`,
  GOOGLE_GEMINI_BASE_URL: `${proxyUrl}/gemini`,
  AZURE_OPENAI_ENDPOINT: `${proxyUrl}/azure`,
  NO_PROXY: withLoopback(env['NO_PROXY'] ?? env['no_proxy']),
  no_proxy: withLoopback(env['no_proxy'] ?? env['NO_PROXY']),
  // SDKs refuse to start without a key. A real one has no business with simulated answers.
  ...(isMock
    ? Object.fromEntries(KEYS.filter((name) => name !== 'ANTHROPIC_AUTH_TOKEN').map((name) => [name, MOCK_KEY]))
    : {}),
});

const MOCK_KEY = 'mock-key-worth-nothing';

const withLoopback = (list: string | undefined): string =>
  [...new Set([...(list ?? '').split(',').map((entry) => entry.trim()), '127.0.0.1', 'localhost'])]
    .filter((entry) => entry !== '')
    .join(',');

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';
