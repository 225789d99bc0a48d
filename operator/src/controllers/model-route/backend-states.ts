/** Each backend of a route: where it is, whether it answers, what it did lately. Pure. */
import type { ModelRoute, ModelRouteBackend, ModelRouteStatus } from '@tollgate/api';
import type { BackendFigures, RouteView } from '../../programming/server-views.ts';
import { REASON } from './reasons.ts';
import { howToGrant } from './secret-grant.ts';
import { targetKey, targetOf, urlOf, type Resolution, type Target } from './targets.ts';

export type BackendStatus = NonNullable<ModelRouteStatus['backends']>[number];

export interface BackendState {
  readonly status: BackendStatus;
  /** Takes no calls by its own weight. */
  readonly isIdle: boolean;
  /** Null: nothing is wrong with what it refers to. */
  readonly fault: RefFault | null;
}

export interface RefFault {
  readonly reason: string;
  readonly message: string;
  /** Calls fail for it; else it may be that only we cannot see. */
  readonly isFatal: boolean;
}

export interface BackendFacts {
  readonly view: RouteView | null;
  /** The operator's own ServiceAccount, `namespace:name`, as kubectl takes it. */
  readonly operatorAccount: string;
}

export const backendStates = (
  route: ModelRoute,
  resolutions: ReadonlyMap<string, Resolution>,
  { view, operatorAccount }: BackendFacts,
): readonly BackendState[] =>
  route.spec.rules.flatMap((rule) =>
    rule.backends.map((backend) => {
      const target = targetOf(backend);
      const resolution = resolutions.get(targetKey(target)) ?? { state: 'found', url: null };
      const fault = faultOf(target, resolution, { namespace: route.metadata.namespace, operatorAccount });
      const figures = view?.backends?.find((each) => each.rule === rule.name && each.name === backend.name);
      return {
        status: statusOf({ rule: rule.name, backend, namespace: route.metadata.namespace, resolution, figures, fault }),
        isIdle: backend.weight === 0,
        fault,
      };
    }),
  );

interface StatusFacts {
  readonly rule: string;
  readonly backend: ModelRouteBackend;
  readonly namespace: string;
  readonly resolution: Resolution;
  readonly figures: BackendFigures | undefined;
  readonly fault: RefFault | null;
}

const statusOf = ({ rule, backend, namespace, resolution, figures, fault }: StatusFacts): BackendStatus => {
  const url = urlOf(backend, namespace, resolution);
  const lastError = fault?.isFatal === true ? fault.message : (figures?.lastError ?? null);
  return {
    rule,
    name: backend.name,
    ...(url === null ? {} : { url: withoutUser(url) }),
    healthy: healthOf(figures, fault),
    ...(figures?.requests === undefined ? {} : { requests: figures.requests }),
    ...(figures?.errors === undefined ? {} : { errors: figures.errors }),
    ...(figures?.latencyP95Ms == null ? {} : { latencyP95: latencyText(figures.latencyP95Ms) }),
    ...(lastError === null ? {} : { lastError: lastError.slice(0, 256) }),
  };
};

/** What was seen counts, not what was hoped: without calls nobody knows. Half of them failing is not healthy. */
const healthOf = (figures: BackendFigures | undefined, fault: RefFault | null): BackendStatus['healthy'] => {
  if (fault?.isFatal === true) return 'False';
  const { requests = 0, errors = 0 } = figures ?? {};
  if (requests === 0) return 'Unknown';
  return errors * 2 >= requests ? 'False' : 'True';
};

/** `230ms`, `1.8s`. */
export const latencyText = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)}ms` : `${(Math.round(ms / 100) / 10).toFixed(1)}s`;

/** Status is read by more people than spec is. */
const withoutUser = (url: string): string => {
  const parsed = URL.parse(url);
  if (parsed === null) return '';
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  return parsed.href.replace(/\/$/, '');
};

interface Place extends Pick<BackendFacts, 'operatorAccount'> {
  readonly namespace: string;
}

const faultOf = (target: Target, resolution: Resolution, place: Place): RefFault | null => {
  const { namespace } = place;
  if (target.kind === 'Provider' || resolution.state === 'found') return null;
  const { name } = target;
  switch (target.kind) {
    case 'Secret':
      return resolution.state === 'hidden'
        ? hiddenSecret(name, place)
        : missing(REASON.secretNotFound, target, namespace);
    case 'Service':
      return missing(REASON.serviceNotFound, target, namespace);
    case 'LLMInferenceService':
    case 'KServe': {
      if (resolution.state === 'missing') return missing(REASON.inferenceServiceNotFound, target, namespace);
      const message = `the inference service ${name} has no address yet: kubectl describe ${plural(target)} ${name} -n ${namespace}`;
      return { reason: REASON.inferenceServiceNotReady, message, isFatal: true };
    }
    default:
      return target satisfies never;
  }
};

const missing = (reason: string, target: Exclude<Target, { kind: 'Provider' }>, namespace: string): RefFault => {
  const what = target.kind === 'KServe' ? 'LLMInferenceService (serving.kserve.io)' : target.kind;
  return { reason, message: `no ${what} ${target.name} in namespace ${namespace}: create it`, isFatal: true };
};

const plural = ({ kind }: Target): string =>
  kind === 'KServe' ? 'llminferenceservices.serving.kserve.io' : 'llminferenceservices.tollgate.dev';

const hiddenSecret = (name: string, { namespace, operatorAccount }: Place): RefFault => ({
  reason: REASON.secretNotReadable,
  message: `whether Secret ${name} is there cannot be seen. ${howToGrant({ name, namespace, operatorAccount })}`,
  isFatal: false,
});
