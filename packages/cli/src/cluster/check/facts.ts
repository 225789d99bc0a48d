/** What is known of an installation when it is judged. */
import type { InjectionSettings, NamespaceMode } from '@tollgate/operator/injection';
import type { Prospect } from '@tollgate/operator/inspection';
import type { Installation } from '../installation.ts';
import type { Answer } from '../open-cluster.ts';
import type { Told } from '../told.ts';

export interface InstallationFacts {
  readonly installation: Installation;
  readonly crds: Told<CrdFacts>;
  readonly settings: Told<InjectionSettings>;
  /** Null: there is none, as where the API server injects by policy. */
  readonly webhooks: Told<WebhookFacts | null>;
  readonly hasMutatingPolicy: boolean;
  readonly injectors: readonly InjectorFacts[];
  /** `/healthz`: the server with its database. */
  readonly servers: readonly PodAnswer[];
  /** `/status` of the admin port. */
  readonly operators: readonly PodAnswer[];
  /** Null: nobody has ever led. */
  readonly lease: Told<LeaseFacts | null>;
  readonly trial: TrialFacts;
  readonly resources: readonly ResourceFacts[];
  readonly namespaces: Told<readonly NamespaceLabels[]>;
  readonly pods: Told<PodFacts>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What is known where the installation may not be looked at. */
export interface OwnFacts extends Pick<InstallationFacts, 'resources' | 'pods'> {
  /** Why not. */
  readonly why: string;
  /** The namespace that is looked at; null: all. */
  readonly selected: string | null;
  /** What else its reader may not see. */
  readonly unread: readonly string[];
}

export interface CrdFacts {
  readonly kinds: readonly CrdKind[];
  /** Definitions of other groups with a plural of ours: `kubectl get PLURAL` may mean them. */
  readonly namesakes: readonly string[];
}

export interface CrdKind {
  /** `tokenbudgets.tollgate.dev` */
  readonly name: string;
  readonly isThere: boolean;
  readonly isEstablished: boolean;
  readonly served: readonly string[];
}

export interface WebhookFacts {
  readonly name: string;
  readonly webhooks: readonly { readonly name: string; readonly authorities: readonly Validity[] }[];
}

/** Milliseconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface PodAnswer {
  readonly pod: string;
  readonly answer: Answer;
}

export interface InjectorFacts {
  readonly pod: string;
  readonly ready: Answer;
  /** Until its certificate ends; null where it does not say. */
  readonly certificateSeconds: number | null;
}

export interface LeaseFacts {
  readonly name: string;
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly renewedAt: number | null;
  readonly seconds: number;
}

/** A pod that asks for the proxy, made in a dry run. */
export type TrialFacts =
  | { readonly outcome: 'injected' | 'bare'; readonly namespace: string }
  | { readonly outcome: 'refused'; readonly namespace: string; readonly why: string }
  | { readonly outcome: 'not tried'; readonly why: string };

/** One of ours, by its condition `Ready`. */
export interface ResourceFacts {
  /** Lower-case singular, as kubectl takes it. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Conditions besides `Ready` that do not hold. */
  readonly failing: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}

export interface NamespaceLabels {
  readonly name: string;
  /** The label as it is, whatever it says. */
  readonly label: string;
  readonly mode: NamespaceMode | null;
}

export interface LackingPod {
  /** `namespace/pod` */
  readonly pod: string;
  /** Somebody makes it again when it is gone. */
  readonly isOwned: boolean;
  /** What would come of it then. */
  readonly prospect: Prospect;
}

/** Each pod as `namespace/pod`. */
export interface PodFacts {
  /** They ask for the proxy, or their namespaces do, and lack it. */
  readonly lacking: readonly LackingPod[];
  /** What they say of the proxy is neither yes nor no, and they lack it. */
  readonly unclear: readonly { readonly pod: string; readonly word: string }[];
  /** They bear the proxy's label, and something else in its place. */
  readonly forged: readonly string[];
  /** They carry the proxy of another image than new pods get. */
  readonly outdated: readonly string[];
  readonly carrying: number;
}
