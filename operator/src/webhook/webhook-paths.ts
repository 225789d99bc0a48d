/** Where the API server sends what: the path says what the namespace's label is, as the API server saw it. */
import type { NamespaceMode } from '../injection/facts.ts';

interface PathMeaning {
  /** Name of the webhook, before `.tollgate.dev`. */
  readonly webhook: string;
  readonly takes: 'pods' | 'workloads';
  readonly mode: NamespaceMode | null;
}

export const WEBHOOK_PATHS = {
  '/pods/annotated': { webhook: 'pod.inject', takes: 'pods', mode: null },
  '/pods/enabled': { webhook: 'ns.inject', takes: 'pods', mode: 'enabled' },
  '/pods/required': { webhook: 'required.inject', takes: 'pods', mode: 'required' },
  '/pods/disabled': { webhook: 'disabled.inject', takes: 'pods', mode: 'disabled' },
  '/workloads': { webhook: 'workload.inject', takes: 'workloads', mode: null },
} as const satisfies Readonly<Record<string, PathMeaning>>;

export type WebhookPath = keyof typeof WEBHOOK_PATHS;

export const meaningOf = (url: string): PathMeaning | null => {
  // The API server adds `?timeout=5s`.
  const path = url.replace(/[?#].*$/s, '');
  return isPath(path) ? WEBHOOK_PATHS[path] : null;
};

const isPath = (path: string): path is WebhookPath => Object.hasOwn(WEBHOOK_PATHS, path);
