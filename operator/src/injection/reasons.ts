/** Why a pod was left alone or refused. API: metrics, Events, audit annotations and documentation use these words. */

export const SKIP_REASONS = [
  'NotOptedIn',
  'OptedOut',
  'NamespaceDisabled',
  'NamespaceExcluded',
  'HostNetwork',
  'MirrorPod',
  'Windows',
  'KubernetesTooOld',
  'PortInUse',
  'NoContainers',
] as const;

export type SkipReason = (typeof SKIP_REASONS)[number];

export const REFUSAL_REASONS = [
  /** The pod brings a container of the proxy's name that is not the proxy. */
  'ForgedProxy',
  /** A container mounts what is the proxy's alone. */
  'MountsProxyVolume',
  /** The pod asks for a token of the proxy's audience by itself. */
  'ForgedToken',
  /** Another container could read the proxy's memory and files. */
  'SharesProcesses',
  /** Injection is required in the namespace and this pod cannot be injected. */
  'InjectionRequired',
  /** Injection is required in the namespace and a base URL leads past the proxy. */
  'BaseUrlNotAdopted',
  /** A workload's annotation asks with a word that is neither "true" nor "false". */
  'InvalidInjectValue',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface Skip {
  readonly reason: SkipReason;
  /** One sentence: what it is and what to do. */
  readonly message: string;
}

export interface Refused {
  readonly reason: RefusalReason;
  readonly message: string;
}
