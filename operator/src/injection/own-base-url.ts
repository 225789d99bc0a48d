/** What a user's own base URL comes to: something the proxy can take as its upstream, or a reason why not. */
import type { EnvVar } from './pod.ts';

export type OwnBaseUrl =
  | { readonly kind: 'url'; readonly url: string; readonly isPrivate: boolean }
  /** The proxy itself already. */
  | { readonly kind: 'proxy' }
  /** Empty, which SDKs take for unset. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unusable'; readonly why: string };

/** @param before the container's variables above this one: only those may be referred to as `$(NAME)` */
export const ownBaseUrl = (entry: EnvVar, before: readonly EnvVar[], port: number): OwnBaseUrl => {
  if (entry.valueFrom != null) return { kind: 'unusable', why: 'it comes from valueFrom, which is not known here' };
  const text = expand(entry.value ?? '', before);
  if (text === null) return { kind: 'unusable', why: 'it refers to a variable whose value is not known here' };
  if (text.trim() === '') return { kind: 'none' };
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return { kind: 'unusable', why: 'it is no http or https URL' };
  }
  if (isLoopback(url.hostname) && url.port === String(port)) return { kind: 'proxy' };
  // Neither would reach the upstream, and a secret in them would come to stand in the pod's spec once more.
  if (url.username !== '' || url.password !== '') return { kind: 'unusable', why: 'it carries a user or password' };
  if (url.search !== '' || url.hash !== '') return { kind: 'unusable', why: 'it carries a query' };
  const isPrivate = isInCluster(url.hostname);
  if (url.protocol === 'http:' && !isPrivate) {
    return { kind: 'unusable', why: 'it would carry keys over http out of the cluster' };
  }
  return { kind: 'url', url: (url.origin + url.pathname).replace(/\/{1,64}$/, ''), isPrivate };
};

/** As kubelet does it: `$(NAME)` by variables above, `$$(NAME)` literally. Null where one is not known. */
const expand = (text: string, before: readonly EnvVar[]): string | null => {
  let isKnown = true;
  const expanded = text.replace(/(\$?)\$\(([^()$]{1,256})\)/g, (whole, escape: string, name: string) => {
    if (escape !== '') return whole.slice(1);
    const found = before.findLast((entry) => entry.name === name);
    if (found?.value == null || found.value.includes('$(')) {
      isKnown = false;
      return '';
    }
    return found.value;
  });
  return isKnown ? expanded : null;
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** RFC 1918, RFC 6598, RFC 4193, loopback, and the names of Services: one label, `name.namespace`, or `….svc…`. */
const isInCluster = (host: string): boolean =>
  isLoopback(host) ||
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)[\d.]{1,15}$/.test(host) ||
  /^\[f[cd][0-9a-f]{2}:/.test(host) ||
  !host.includes('.') ||
  /\.svc(\.|$)/.test(host);
