/**
 * Observes ModelRoutes, what they refer to, and what the server says of their backends.
 * Decides which backends can be used, and whether the route serves.
 * Writes its status, at the pace of the publisher.
 */
import { MODEL_ROUTES } from '../../kinds.ts';
import { keyOf, nameOfKey, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import type { ManifestAdmission } from '../../programming/admitted-manifest.ts';
import type { ServerWatch } from '../../programming/server-watch.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import type { StatusPublisher } from '../status-publisher.ts';
import { decideRoute, type RouteWorld } from './decide.ts';
import type { RefLookup } from './ref-lookup.ts';
import { targetsOf, type Resolution } from './targets.ts';

export interface RouteReconcilerDeps {
  readonly routes: ObjectCache<KubeObject>;
  readonly admission: ManifestAdmission;
  readonly server: Pick<ServerWatch, 'route'>;
  readonly refs: RefLookup;
  readonly publisher: StatusPublisher;
  readonly writer: StatusWriter;
  /** `namespace:name` of the operator's own ServiceAccount. */
  readonly operatorAccount: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Nobody tells when a Secret or a Service comes or goes. */
const UNRESOLVED_MS = 15_000;
const RESOLVED_MS = 300_000;

export const routeReconciler = (deps: RouteReconcilerDeps): Reconcile => {
  const { publisher, writer } = deps;
  const write = async (key: string, resolutions: ReadonlyMap<string, Resolution>): Promise<void> => {
    const world = worldOf(key, resolutions, deps);
    if (world === null) return;
    const { status, changeSize } = decideRoute(world);
    if (changeSize !== null) await writer.write(MODEL_ROUTES, world.object, status);
  };
  return async (key, signal) => {
    const offered = `${MODEL_ROUTES.kind} ${key}`;
    const resolutions = await gather(key, deps, signal);
    const world = worldOf(key, resolutions, deps);
    if (world === null) {
      publisher.withdraw(offered);
      return undefined;
    }
    const { changeSize, isUnresolved } = decideRoute(world);
    if (changeSize === null) publisher.withdraw(offered);
    else publisher.offer(offered, changeSize, () => write(key, resolutions));
    return { requeueAfterMs: isUnresolved ? UNRESOLVED_MS : RESOLVED_MS };
  };
};

const gather = async (
  key: string,
  { routes, admission, refs }: RouteReconcilerDeps,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Resolution>> => {
  const object = routes.get(nameOfKey(key));
  const admitted = object === null ? null : admission.admit('ModelRoute', object);
  if (admitted?.accepted !== true) return new Map();
  return refs.resolve(targetsOf(admitted.resource), admitted.resource.metadata.namespace, signal);
};

const worldOf = (
  key: string,
  resolutions: ReadonlyMap<string, Resolution>,
  { routes, admission, server, operatorAccount, now }: RouteReconcilerDeps,
): RouteWorld | null => {
  const object = routes.get(nameOfKey(key));
  if (object === null) return null;
  return {
    object,
    admission: admission.admit('ModelRoute', object),
    resolutions,
    view: server.route(keyOf(object.metadata)),
    operatorAccount,
    now: now(),
  };
};
