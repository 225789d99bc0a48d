/** Whose addresses are looked for: the providers' public ones, and wherever a route or a setting sends calls. Pure. */
import type { SnapshotRoute } from '@tollgate/api';

export interface ProviderTarget {
  readonly host: string;
  readonly ports: readonly number[];
}

/** Both, since a client that was sent to http by mistake is one that goes past the proxy all the same. */
const WEB_PORTS = [443, 80];
/**
 * Public hosts of the formats that are metered. Google's are left out, here and below: all of its services share their
 * addresses, and a pod that reads a bucket calls no model.
 */
const PUBLIC = ['api.openai.com', 'api.anthropic.com'];
const SHARED = /(^|\.)googleapis\.com$/;
/** As many as anybody routes to; names beyond it are not resolved. */
const MOST = 64;

export const providerTargets = (
  routes: readonly SnapshotRoute[],
  overrides: readonly (string | null)[],
): readonly ProviderTarget[] => {
  const urls = [
    ...overrides,
    ...routes.flatMap(({ rules }) => rules.flatMap(({ backends }) => backends.map(({ baseUrl }) => baseUrl))),
  ];
  const ports = new Map<string, readonly number[]>(PUBLIC.map((host) => [host, WEB_PORTS]));
  for (const url of urls) {
    const target = url === null ? null : targetOf(url);
    if (target === null || SHARED.test(target.host)) continue;
    ports.set(target.host, [...new Set([...(ports.get(target.host) ?? []), ...target.ports])]);
  }
  return [...ports].slice(0, MOST).map(([host, of]) => ({ host, ports: of }));
};

/** Null: what is on this machine itself is no provider that anybody goes to past us. */
const targetOf = (url: string): ProviderTarget | null => {
  if (!URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  if (hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)) return null;
  return { host: hostname.replace(/^\[|\]$/g, ''), ports: port === '' ? WEB_PORTS : [Number(port)] };
};
