/** From an inference service, what was made of it and what its callers saw, to its status. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { LLMInferenceService, LLMInferenceServiceStatus } from '@tollgate/api';
import type { Admission } from '../../programming/admitted-manifest.ts';
import { routingGroup } from '../../programming/routing-group.ts';
import { conditionsOf, type Claim } from '../conditions.ts';
import { statusFields, storedConditions, type StoredObject } from '../stored-status.ts';
import { ACCEPTED, READY, REASON, ROUTER_READY, WORKLOADS_READY } from './reasons.ts';
import { templateFault, unsupportedFields } from './unsupported.ts';
import { urlOf } from './workload.ts';

/** What became of applying the Deployment and the Service. */
export type Made =
  | { readonly state: 'made' }
  | { readonly state: 'not tried' }
  | { readonly state: 'refused'; readonly reason: string; readonly message: string };

export interface ServiceWorld {
  readonly object: StoredObject;
  readonly admission: Admission<LLMInferenceService>;
  readonly made: Made;
  /** Of the Deployment; null: it is not there, or not seen yet. */
  readonly pods: { readonly wanted: number; readonly running: number; readonly ready: number } | null;
  readonly traffic: Pick<LLMInferenceServiceStatus, 'tokensPerSecond' | 'ttftP95' | 'cost'>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ServiceDecision {
  readonly status: LLMInferenceServiceStatus;
  /** 0: only figures of the traffic moved; null: nothing did. */
  readonly changeSize: number | null;
}

/** Why it cannot be made; null: it can. */
export const objection = (admission: Admission<LLMInferenceService>): Claim | null => {
  const no = (reason: string, message: string): Claim => ({ type: ACCEPTED, status: 'False', reason, message });
  if (!admission.accepted) return no(admission.reason, admission.message);
  const fields = unsupportedFields(admission.resource);
  if (fields.length > 0) {
    const todo =
      "Remove them, or install KServe and write apiVersion: serving.kserve.io/v1alpha2; routes reach KServe's services too.";
    return no(REASON.unsupportedField, `Not supported here: ${fields.join(', ')}. ${todo}`);
  }
  const fault = templateFault(admission.resource);
  return fault === null ? null : no(REASON.invalidTemplate, `${fault}.`);
};

export const decideService = (world: ServiceWorld): ServiceDecision => {
  const { object, admission, made, pods, traffic, now } = world;
  const generation = object.metadata.generation ?? 0;
  const url = admission.accepted && isReachable(world) ? urlOf(admission.resource) : null;
  const status: LLMInferenceServiceStatus = {
    observedGeneration: generation,
    ...(url === null ? {} : { url, addresses: [{ name: 'cluster', url }] }),
    ...(pods === null ? {} : { replicas: pods.running, readyReplicas: pods.ready }),
    ...traffic,
    conditions: [
      ...conditionsOf(claimsOf(admission, made, pods), { former: storedConditions(object), generation, now }),
    ],
  };
  return { status, changeSize: changeSize(statusFields(object), status) };
};

/** Once made, an address stays: a route that comes and goes with a failed write would only add to the trouble. */
const isReachable = ({ object, admission, made }: ServiceWorld): boolean =>
  objection(admission) === null && (made.state === 'made' || 'url' in statusFields(object));

const claimsOf = (
  admission: Admission<LLMInferenceService>,
  made: Made,
  pods: ServiceWorld['pods'],
): readonly Claim[] => {
  const no = objection(admission);
  const isInvalid = made.state === 'refused' && made.reason === REASON.invalidTemplate;
  const accepted: Claim =
    no ??
    (isInvalid
      ? { type: ACCEPTED, status: 'False', reason: made.reason, message: made.message }
      : { type: ACCEPTED, status: 'True', reason: REASON.accepted, message: 'All that it asks for is supported.' });
  if (accepted.status === 'False') {
    const message = 'Nothing is run: see Accepted.';
    const rest = [WORKLOADS_READY, ROUTER_READY].map((type): Claim => ({
      type,
      status: 'False',
      reason: REASON.notAccepted,
      message,
    }));
    return [{ ...accepted, type: READY }, accepted, ...rest];
  }
  const workloads = workloadsClaim(made, pods);
  const router = routerClaim(admission, made);
  return [readyClaim(workloads, router), accepted, workloads, router];
};

const workloadsClaim = (made: Made, pods: ServiceWorld['pods']): Claim => {
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: WORKLOADS_READY,
    status,
    reason,
    message,
  });
  if (made.state === 'refused') return claim('False', made.reason, made.message);
  if (pods === null) return claim('False', REASON.pending, 'The Deployment is being made.');
  const share = `${pods.ready} of ${pods.wanted} pods are ready.`;
  if (pods.wanted === 0) return claim('False', REASON.scaledToZero, 'No pod is wanted: set spec.replicas.');
  if (pods.ready === 0) return claim('False', REASON.noPods, `${share} See the Deployment's pods.`);
  if (pods.ready < pods.wanted) return claim('False', REASON.progressing, share);
  return claim('True', REASON.available, share);
};

const routerClaim = (admission: Admission<LLMInferenceService>, made: Made): Claim => {
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: ROUTER_READY,
    status,
    reason,
    message,
  });
  if (made.state === 'refused') return claim('False', made.reason, made.message);
  if (made.state === 'not tried') return claim('False', REASON.pending, 'The Service is being made.');
  const group = admission.accepted ? routingGroup(admission.resource) : null;
  const share = group === null ? '' : ` Routes to any service of group ${group.name} give it weight ${group.weight}.`;
  return claim('True', REASON.available, `The Service stands.${share}`);
};

/** One pod that is ready answers calls, whatever else is under way. */
const readyClaim = (workloads: Claim, router: Claim): Claim => {
  const claim = ({ status, reason, message }: Omit<Claim, 'type'>): Claim => ({ type: READY, status, reason, message });
  if (router.status !== 'True') return claim(router);
  if (workloads.status === 'True')
    return claim({ status: 'True', reason: REASON.serving, message: 'Calls are answered.' });
  if (workloads.reason === REASON.progressing) return claim({ ...workloads, status: 'True' });
  return claim({ ...workloads, status: 'False' });
};

const changeSize = (former: Readonly<Record<string, unknown>>, next: LLMInferenceServiceStatus): number | null => {
  if (isDeepStrictEqual({ ...former }, { ...next })) return null;
  const told = ({ tokensPerSecond: _, ttftP95: __, cost: ___, ...rest }: Readonly<Record<string, unknown>>): unknown =>
    rest;
  return isDeepStrictEqual(told(former), told({ ...next })) ? 0 : WORDS;
};

/** As for routes and budgets: words matter more than figures. */
const WORDS = 1_000_000_000;
