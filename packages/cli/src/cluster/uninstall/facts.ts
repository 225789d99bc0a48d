/** What an installation consists of, and what lives on it, when it is to be removed. */
import type { Installation } from '../installation.ts';

export interface UninstallFacts {
  readonly installation: Installation;
  /** Of the release, by their labels. */
  readonly objects: readonly ReleaseObject[];
  /** Pods with the proxy, by workload. */
  readonly carriers: readonly Carrier[];
  readonly namespaces: readonly LabelledNamespace[];
  readonly budgets: readonly BudgetFacts[];
  readonly routes: number;
  readonly services: number;
  /** What its reader may not see. */
  readonly unread: readonly string[];
}

export interface ReleaseObject {
  /** As kubectl takes it: `deployment`, `clusterrole`. */
  readonly kind: string;
  readonly name: string;
  /** Null: of the whole cluster. */
  readonly namespace: string | null;
  /** `helm uninstall` removes it: helm made it and does not keep it. */
  readonly isHelms: boolean;
  /** A definition, and with it every object of the kind. */
  readonly isDefinition: boolean;
  /** Changes or refuses pods of others at their creation. */
  readonly isInTheWay: boolean;
}

export interface Carrier {
  readonly namespace: string;
  /** `deployment/web`; a pod of its own is `pod/NAME`. */
  readonly workload: string;
  readonly pods: number;
}

export interface LabelledNamespace {
  readonly name: string;
  readonly label: string;
}

export interface BudgetFacts {
  readonly namespace: string;
  readonly name: string;
  /** As status says it, such as `$12.50`; '' where it says nothing. */
  readonly spent: string;
}
