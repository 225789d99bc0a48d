/** From a route, what its references came to and what the proxies saw, to its status. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { ModelRoute, ModelRouteStatus } from '@tollgate/api';
import type { Admission } from '../../programming/admitted-manifest.ts';
import { conditionsOf, type Claim } from '../conditions.ts';
import { statusFields, storedConditions, type StoredObject } from '../stored-status.ts';
import { backendStates, type BackendFacts, type BackendState } from './backend-states.ts';
import { ACCEPTED, READY, REASON, RESOLVED_REFS } from './reasons.ts';
import type { Resolution } from './targets.ts';

export interface RouteWorld extends BackendFacts {
  readonly object: StoredObject;
  readonly admission: Admission<ModelRoute>;
  readonly resolutions: ReadonlyMap<string, Resolution>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface RouteDecision {
  readonly status: ModelRouteStatus;
  /** 0: only figures of the traffic moved; null: nothing did. */
  readonly changeSize: number | null;
  /** Something it refers to is not as it should be: to be looked at again soon. */
  readonly isUnresolved: boolean;
}

export const decideRoute = (world: RouteWorld): RouteDecision => {
  const { object, admission, resolutions, now } = world;
  const generation = object.metadata.generation ?? 0;
  const states = admission.accepted ? backendStates(admission.resource, resolutions, world) : [];
  const claims = admission.accepted ? validClaims(states) : invalidClaims(admission);
  const status: ModelRouteStatus = {
    observedGeneration: generation,
    ...(admission.accepted
      ? { summary: summaryOf(admission.resource, states), backends: states.map(({ status: backend }) => backend) }
      : {}),
    conditions: [...conditionsOf(claims, { former: storedConditions(object), generation, now })],
  };
  return {
    status,
    changeSize: changeSize(statusFields(object), status),
    isUnresolved: states.some(({ fault }) => fault !== null),
  };
};

const invalidClaims = ({ reason, message }: Extract<Admission<ModelRoute>, { accepted: false }>): readonly Claim[] => [
  { type: READY, status: 'False', reason, message },
  { type: ACCEPTED, status: 'False', reason, message },
  {
    type: RESOLVED_REFS,
    status: 'Unknown',
    reason: REASON.notAccepted,
    message: 'Nothing was looked up: see Accepted.',
  },
];

const validClaims = (states: readonly BackendState[]): readonly Claim[] => [
  readyClaim(states),
  { type: ACCEPTED, status: 'True', reason: REASON.accepted, message: 'The route is valid.' },
  resolvedClaim(states),
];

const resolvedClaim = (states: readonly BackendState[]): Claim => {
  const faults = states.flatMap(({ fault }) => fault ?? []);
  // What breaks calls is named before what only cannot be seen.
  const first = faults.find(({ isFatal }) => isFatal) ?? faults[0];
  if (first === undefined) {
    return {
      type: RESOLVED_REFS,
      status: 'True',
      reason: REASON.resolvedRefs,
      message: 'Everything it names was found.',
    };
  }
  const messages = [...new Set(faults.map(({ message }) => message))];
  return { type: RESOLVED_REFS, status: 'False', reason: first.reason, message: `${messages.join('. ')}.` };
};

const readyClaim = (states: readonly BackendState[]): Claim => {
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: READY,
    status,
    reason,
    message,
  });
  const taking = states.filter(({ isIdle }) => !isIdle);
  const usable = taking.filter(({ fault }) => fault?.isFatal !== true);
  const failing = usable.filter(({ status }) => status.healthy === 'False');
  const share = `${usable.length - failing.length} of ${taking.length} backends can be used.`;
  if (usable.length === 0) return claim('False', REASON.noBackend, `${share} See ResolvedRefs.`);
  if (failing.length === usable.length) {
    return claim('False', REASON.failing, `${share} Most of the last calls failed: see status.backends.`);
  }
  if (usable.length < taking.length || failing.length > 0) {
    return claim('True', REASON.degraded, `${share} See status.backends.`);
  }
  return claim('True', REASON.serving, 'Calls take this route.');
};

const summaryOf = (route: ModelRoute, states: readonly BackendState[]): ModelRouteStatus['summary'] => {
  const healthy = states.filter(({ status }) => status.healthy !== 'False').length;
  return { models: modelsText(route), backends: `${healthy}/${states.length}` };
};

/** Longer lists are cut with a count, as the column holds 256 characters. */
const modelsText = ({ spec }: ModelRoute): string => {
  const models = [...new Set(spec.rules.flatMap(({ models: named = [] }) => (named.length === 0 ? ['*'] : named)))];
  const shown = models.slice(0, 4).join(',');
  return (models.length > 4 ? `${shown} +${models.length - 4}` : shown).slice(0, 256);
};

const changeSize = (former: Readonly<Record<string, unknown>>, next: ModelRouteStatus): number | null => {
  if (isDeepStrictEqual({ ...former }, { ...next })) return null;
  const told = (status: Readonly<Record<string, unknown>>): unknown => ({ ...status, backends: null });
  return isDeepStrictEqual(told(former), told({ ...next })) && healthOfAll(former) === healthOfAll({ ...next })
    ? 0
    : WORDS;
};

/** Beside what budgets may differ by, in millionths: words matter more than figures. */
const WORDS = 1_000_000_000;

const healthOfAll = ({ backends }: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(
    Array.isArray(backends)
      ? backends.map((backend: unknown) =>
          typeof backend === 'object' && backend !== null && 'healthy' in backend ? backend.healthy : null,
        )
      : null,
  );
