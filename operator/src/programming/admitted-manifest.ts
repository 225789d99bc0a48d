/**
 * From an object as the API server has it to the manifest that the server takes, or why it is left out. The CRD's rules
 * have seen it before; this sees what they cannot: an object of an older CRD, and budgets that reach beyond their place.
 */
import type { LLMInferenceService, ModelRoute, TokenBudget } from '@tollgate/api';
import { API_VERSION, parseManifest, type Resource } from '@tollgate/api/schema';
import type { KubeObject } from '../kube/kube-object.ts';

/** Reasons of Accepted=False that a manifest earns by itself. */
export const INVALID = 'Invalid';
export const NOT_PERMITTED = 'NotPermitted';
/** The server, which may be of another version, does not take it. */
export const REFUSED_BY_SERVER = 'RefusedByServer';

export type Admission<R extends Resource> =
  | { readonly accepted: true; readonly resource: R }
  | {
      readonly accepted: false;
      readonly reason: typeof INVALID | typeof NOT_PERMITTED | typeof REFUSED_BY_SERVER;
      /** What is wrong and where, then what to do. */
      readonly message: string;
    };

export type ManifestKind = Resource['kind'];
interface OfKind {
  readonly TokenBudget: TokenBudget;
  readonly ModelRoute: ModelRoute;
  readonly LLMInferenceService: LLMInferenceService;
}

/** Objects of the caches never change in place: each is read once. */
export interface ManifestAdmission {
  admit<K extends ManifestKind>(kind: K, object: KubeObject): Admission<OfKind[K]>;
  /** Until its next generation. Null: to be tried again. */
  refuse(title: string, refusal: { readonly generation: number; readonly message: string } | null): void;
}

/** As refusals are told apart: `TokenBudget team-a/chat`. */
export const manifestKey = (
  kind: ManifestKind,
  { namespace = '', name }: { readonly namespace?: string; readonly name: string },
): string => `${kind} ${namespace}/${name}`;

export const makeManifestAdmission = ({
  systemNamespace,
}: {
  /** Where Tollgate itself runs: only budgets in here may select other namespaces. */
  readonly systemNamespace: string;
}): ManifestAdmission => {
  const known = new WeakMap<KubeObject, Admission<Resource>>();
  const refused = new Map<string, { readonly generation: number; readonly message: string }>();
  return {
    refuse: (title, refusal) => {
      if (refusal === null) refused.delete(title);
      else refused.set(title, refusal);
    },
    admit: <K extends ManifestKind>(kind: K, object: KubeObject): Admission<OfKind[K]> => {
      const refusal = refused.get(manifestKey(kind, object.metadata));
      if (refusal !== undefined && refusal.generation === (object.metadata.generation ?? 0)) {
        return { accepted: false, reason: REFUSED_BY_SERVER, message: refusal.message };
      }
      const admission = known.get(object) ?? admitManifest(kind, object, systemNamespace);
      known.set(object, admission);
      // An object is of one kind: what is remembered of it was said of that kind.
      return admission as Admission<OfKind[K]>;
    },
  };
};

export const admitManifest = (kind: ManifestKind, object: KubeObject, systemNamespace: string): Admission<Resource> => {
  const parsed = parseManifest(bareManifest(kind, object));
  if (!parsed.ok) {
    const faults = parsed.faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
    return {
      accepted: false,
      reason: INVALID,
      message: `${faults}. Correct it; until then nothing of this ${kind} is in force.`.slice(0, MESSAGE_MAX),
    };
  }
  const { resource } = parsed;
  if (
    resource.kind === 'TokenBudget' &&
    resource.spec.namespaceSelector !== undefined &&
    resource.metadata.namespace !== systemNamespace
  ) {
    return {
      accepted: false,
      reason: NOT_PERMITTED,
      message:
        `spec.namespaceSelector: only budgets of the namespace ${systemNamespace} may reach other namespaces. ` +
        'Remove it, or ask those who run Tollgate to put the budget there; until then it is not in force.',
    };
  }
  return { accepted: true, resource };
};

const MESSAGE_MAX = 4_096;

/** Neither status nor what changes with every write: the same spec gives the same manifest. */
const bareManifest = (kind: ManifestKind, object: KubeObject & { readonly spec?: unknown }): object => {
  const { name, namespace, generation, creationTimestamp } = object.metadata;
  const address = kind === 'LLMInferenceService' ? addressOf(object) : {};
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: { name, namespace, generation, creationTimestamp },
    spec: object.spec,
    ...address,
  };
};

/** An inference service is reached where its status says; the rest of a status is nobody's input. */
const addressOf = (object: KubeObject & { readonly status?: unknown }): { readonly status?: object } => {
  const { status } = object;
  if (typeof status !== 'object' || status === null || !('url' in status) || typeof status.url !== 'string') return {};
  return { status: { url: status.url } };
};
