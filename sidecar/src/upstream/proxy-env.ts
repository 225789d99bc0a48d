/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl reads them: lower case wins, NO_PROXY is a list of suffixes, hosts or `*`. */
export interface ProxyEnv {
  readonly http: string | null;
  readonly https: string | null;
  readonly no: string | null;
}

/** The proxy to use for an origin, or null to go direct. */
export type ProxyFor = (origin: string) => string | null;

export const makeProxyFor = ({ http, https, no }: ProxyEnv): ProxyFor => {
  const exceptions = (no ?? '')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  return function proxyFor(origin) {
    const { protocol, hostname, port } = new URL(origin);
    const proxy = protocol === 'https:' ? https : http;
    if (proxy === null || isLoopback(hostname)) return null;
    const effectivePort = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
    return exceptions.some((entry) => matches(entry, hostname.toLowerCase(), effectivePort)) ? null : proxy;
  };
};

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');

const matches = (entry: string, hostname: string, port: string): boolean => {
  if (entry === '*') return true;
  const [, rawName = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const name = rawName.replace(/^\*?\./, '');
  return hostname === name || hostname.endsWith(`.${name}`);
};

/** The same settings for Node's own agents; loopback never goes by a proxy. */
export const toProxyEnv = ({ http, https, no }: ProxyEnv): Readonly<Record<string, string>> => ({
  ...(http === null ? {} : { HTTP_PROXY: http }),
  ...(https === null ? {} : { HTTPS_PROXY: https }),
  NO_PROXY: ['localhost', '127.0.0.1', '::1', ...(no === null ? [] : [no])].join(','),
});
