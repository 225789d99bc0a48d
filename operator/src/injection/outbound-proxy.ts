/**
 * Pods that reach the outside through a proxy of their network: calls to 127.0.0.1 must not take it, and Tollgate's proxy,
 * which now makes the calls, must.
 */
import type { SetVariable } from './base-urls.ts';
import type { Container, EnvVar } from './pod.ts';

const WAYS_OUT = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
const EXCEPTIONS = ['NO_PROXY', 'no_proxy'] as const;
const LOCAL = ['127.0.0.1', 'localhost'];
/** Those that Tollgate's proxy reads. */
const CARRIED = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', ...EXCEPTIONS];

export interface Exceptions {
  readonly set: readonly SetVariable[];
  /** Variables that should name 127.0.0.1 and cannot be extended here. */
  readonly unseen: readonly string[];
}

/** The exceptions of a container that has a proxy to the outside; nothing where it has none. */
export const extendExceptions = ({ env }: Container): Exceptions => {
  const entries = env ?? [];
  if (!entries.some(({ name }) => WAYS_OUT.includes(name))) return { set: [], unseen: [] };
  const present = EXCEPTIONS.map((name) => entries.findLast((entry) => entry.name === name));
  const unseen = present.flatMap((entry) => (entry?.valueFrom == null ? [] : [entry.name]));
  // Clients read the one or the other first, so both are there and say the same, unless the user tells them apart.
  const either = present.find((entry) => entry !== undefined);
  if (unseen.length > 0) return { set: [], unseen };
  return {
    set: EXCEPTIONS.map((name, index) => ({ name, value: withLocal((present[index] ?? either)?.value ?? '') })),
    unseen,
  };
};

const withLocal = (value: string): string => {
  const entries = value.split(',').filter((entry) => entry.trim() !== '');
  if (entries.some((entry) => entry.trim() === '*')) return value;
  const missing = LOCAL.filter((host) => !entries.some((entry) => entry.trim() === host));
  return missing.length === 0 ? value : [...entries, ...missing].join(',');
};

/** The first application's way out, for Tollgate's proxy. A reference to another variable cannot be carried over. */
export const wayOut = (
  applications: readonly Container[],
): { readonly env: readonly EnvVar[]; readonly left: readonly string[] } => {
  const first = applications.find(({ env }) => (env ?? []).some(({ name }) => WAYS_OUT.includes(name)));
  if (first === undefined) return { env: [], left: [] };
  const exceptions = extendExceptions(first).set;
  const left: string[] = [];
  const env = CARRIED.flatMap((name): readonly EnvVar[] => {
    const extended = exceptions.find((exception) => exception.name === name);
    const own = (first.env ?? []).findLast((candidate) => candidate.name === name);
    const entry = extended === undefined ? own : { ...extended };
    if (entry === undefined) return [];
    if (!isPortable(entry)) {
      left.push(name);
      return [];
    }
    return [entry];
  });
  return { env, left };
};

const isPortable = (entry: EnvVar): boolean =>
  entry.valueFrom == null
    ? entry.value != null && entry.value !== '' && !entry.value.includes('$(')
    : entry.valueFrom['configMapKeyRef'] != null || entry.valueFrom['secretKeyRef'] != null;
