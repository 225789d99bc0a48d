/** What injection knows besides the pod: all of it is handed in. */

/** The value of the namespace's label; null where it has none, or another. */
export type NamespaceMode = 'enabled' | 'required' | 'disabled';

export interface NamespaceFacts {
  readonly name: string;
  readonly mode: NamespaceMode | null;
  /** Keys that the namespace's ModelRoutes name, each with the pods that the route is for. */
  readonly routeKeys: readonly RouteKeys[];
  /** Of the API server's version 1.x; null where it is not known. */
  readonly kubernetesMinor: number | null;
}

export interface RouteKeys {
  /** Null: every pod of the namespace. */
  readonly matchLabels: Readonly<Record<string, string>> | null;
  readonly keys: readonly RouteKey[];
}

export interface RouteKey {
  /** Of the Secret, in the pod's namespace. */
  readonly secret: string;
  readonly key: string;
  /** Sent to the provider's own address, since the backend names none. */
  readonly toProviderAddress: ProviderId | null;
}

/** Whose formats the proxy meters. */
export const PROVIDERS = ['openai', 'anthropic', 'gemini', 'azure'] as const;
export type ProviderId = (typeof PROVIDERS)[number];
