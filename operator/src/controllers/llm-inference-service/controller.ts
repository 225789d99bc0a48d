/**
 * Observes LLMInferenceServices of our own group, their Deployments, and what their callers saw.
 * Decides what runs and whether it is reached.
 * Writes a Deployment, a Service, and the status. What it made goes with its owner.
 */
import type { LLMInferenceService } from '@tollgate/api';
import { DEPLOYMENTS, INFERENCE_SERVICES, SERVICES } from '../../kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeFault } from '../../kube/kube-fault.ts';
import { nameOfKey, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import type { ManifestAdmission } from '../../programming/admitted-manifest.ts';
import type { RouteView } from '../../programming/server-views.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import type { StatusPublisher } from '../status-publisher.ts';
import { decideService, objection, type Made, type ServiceWorld } from './decide.ts';
import { REASON } from './reasons.ts';
import { trafficOf } from './traffic.ts';
import { deploymentFor, serviceFor, workloadName, type WorkloadObject } from './workload.ts';

export interface ServiceReconcilerDeps {
  readonly services: ObjectCache<KubeObject>;
  readonly deployments: ObjectCache<KubeObject>;
  readonly admission: ManifestAdmission;
  readonly routes: () => readonly RouteView[];
  readonly api: Pick<KubeApi, 'apply' | 'get'>;
  readonly fieldManager: string;
  readonly publisher: StatusPublisher;
  readonly writer: StatusWriter;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What was made may be changed or deleted behind our back. */
const REPAIR_MS = 300_000;

export const serviceReconciler = (deps: ServiceReconcilerDeps): Reconcile => {
  const { services, admission, publisher, writer } = deps;
  const write = async (key: string, made: Made): Promise<void> => {
    const world = worldOf(key, made, deps);
    if (world === null) return;
    const { status, changeSize } = decideService(world);
    if (changeSize !== null) await writer.write(INFERENCE_SERVICES, world.object, status);
  };
  return async (key, signal) => {
    const object = services.get(nameOfKey(key));
    const offered = `${INFERENCE_SERVICES.kind} ${key}`;
    if (object === null) {
      publisher.withdraw(offered);
      return undefined;
    }
    const admitted = admission.admit('LLMInferenceService', object);
    const isGoing = object.metadata.deletionTimestamp !== undefined;
    const made: Made =
      admitted.accepted && objection(admitted) === null && !isGoing
        ? await make(admitted.resource, object.metadata.uid ?? '', deps, signal)
        : { state: 'not tried' };
    const world = worldOf(key, made, deps);
    const changeSize = world === null ? null : decideService(world).changeSize;
    if (changeSize === null) publisher.withdraw(offered);
    else publisher.offer(offered, changeSize, () => write(key, made));
    return { requeueAfterMs: REPAIR_MS };
  };
};

const make = async (
  service: LLMInferenceService,
  uid: string,
  deps: ServiceReconcilerDeps,
  signal: AbortSignal,
): Promise<Made> => {
  try {
    await applyOwned(DEPLOYMENTS, deploymentFor(service, uid), uid, deps, signal);
    await applyOwned(SERVICES, serviceFor(service, uid), uid, deps, signal);
    return { state: 'made' };
  } catch (error) {
    const refusal = error instanceof KubeFault ? refusalOf(error) : null;
    if (refusal === null) throw error;
    return refusal;
  }
};

/** Takes fields back from others only of what is ours: a Deployment that somebody wrote under this name stays his. */
const applyOwned = async (
  kind: typeof DEPLOYMENTS,
  object: WorkloadObject,
  uid: string,
  { api, fieldManager }: ServiceReconcilerDeps,
  signal: AbortSignal,
): Promise<void> => {
  const there = await api.get(kind, object.metadata, { signal, metadataOnly: true });
  const isOurs = there?.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
  if (there !== null && !isOurs) {
    const message = `${kind.kind} ${object.metadata.name} is another's: rename it, or this service`;
    throw new KubeFault({ status: 409, reason: 'AlreadyExists', message });
  }
  await api.apply<WorkloadObject>(kind, object, { fieldManager, force: isOurs, signal });
};

/** Null: it may pass, and the queue tries again. */
const refusalOf = ({ status, message }: KubeFault): Made | null => {
  const refused = (reason: string): Made => ({ state: 'refused', reason, message: `${message}.` });
  // What is of the wrong type is answered 500: the merge of the fields fails before anything is checked.
  if (status === 400 || status === 422 || message.includes('typed patch')) return refused(REASON.invalidTemplate);
  if (status === 403) return refused(REASON.forbidden);
  return status === 409 ? refused(REASON.nameTaken) : null;
};

const worldOf = (
  key: string,
  made: Made,
  { services, deployments, admission, routes, now }: ServiceReconcilerDeps,
): ServiceWorld | null => {
  const name = nameOfKey(key);
  const object = services.get(name);
  if (object === null) return null;
  const { namespace = '' } = name;
  const deployment = deployments.get({ namespace, name: workloadName(name.name) });
  return {
    object,
    admission: admission.admit('LLMInferenceService', object),
    made,
    pods: deployment === null ? null : podsOf(deployment),
    traffic: trafficOf({ namespace, name: name.name }, routes()),
    now: now(),
  };
};

const podsOf = (deployment: KubeObject & { readonly spec?: unknown; readonly status?: unknown }) => {
  const count = (fields: unknown, name: string, fallback: number): number => {
    const value =
      typeof fields === 'object' && fields !== null ? (fields as Readonly<Record<string, unknown>>)[name] : undefined;
    return typeof value === 'number' ? value : fallback;
  };
  return {
    wanted: count(deployment.spec, 'replicas', 1),
    running: count(deployment.status, 'replicas', 0),
    ready: count(deployment.status, 'readyReplicas', 0),
  };
};
