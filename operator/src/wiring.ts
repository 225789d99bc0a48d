/** Which change in the caches has which key looked at. */
import { SERVICE_LABEL } from './controllers/llm-inference-service/workload.ts';
import { namespaceMode } from './controllers/pods/audit.ts';
import { isDeepStrictEqual } from 'node:util';
import { keyOf, nameOf, type KubeObject } from './kube/kube-object.ts';
import type { ObjectCache, ObjectChange } from './kube/object-cache.ts';
import type { Controllers } from './make-controllers.ts';
import type { Controller } from './reconcile/controller.ts';
import type { Watches } from './watches.ts';

export interface WiringDeps {
  readonly watches: Watches;
  readonly controllers: Controllers;
  readonly systemNamespace: string;
}

/** Enqueues all there is, and from then on what changes, until the returned function is called. */
export const wire = ({ watches, controllers, systemNamespace }: WiringDeps): (() => void) => {
  const { budgets, routes, services, pods } = controllers;
  const endings = [
    follow(watches.budgets.cache, budgets),
    follow(watches.routes.cache, routes),
    follow(watches.services.cache, services),
    follow(watches.watched.cache, pods),
    follow(watches.injected.cache, pods),
    // A route shows where its inference services are.
    watches.services.cache.onChange((change) => {
      for (const route of watches.routes.cache.list(objectOf(change).metadata.namespace))
        routes.enqueue(keyOfObject(route));
    }),
    watches.deployments.cache.onChange((change) => {
      const { namespace = '', labels = {} } = objectOf(change).metadata;
      const service = labels[SERVICE_LABEL];
      if (service !== undefined) services.enqueue(keyOf({ namespace, name: service }));
    }),
    watches.namespaces.cache.onChange(({ before, after }) => {
      const [former, present] = [before?.metadata.labels, after?.metadata.labels];
      const { name } = objectOf({ before, after }).metadata;
      if (namespaceMode(former) !== namespaceMode(present)) enqueueAll(watches.watched.cache, pods, name);
      // A budget of the platform may reach it now, or no longer.
      if (!isDeepStrictEqual(former, present)) enqueueAll(watches.budgets.cache, budgets, systemNamespace);
    }),
  ];
  return () => {
    for (const end of endings) end();
  };
};

const follow = <T extends KubeObject>(cache: ObjectCache<T>, controller: Controller): (() => void) => {
  const end = cache.onChange((change) => controller.enqueue(keyOfObject(objectOf(change))));
  enqueueAll(cache, controller);
  return end;
};

const enqueueAll = (cache: ObjectCache<KubeObject>, controller: Controller, namespace?: string): void => {
  for (const object of cache.list(namespace)) controller.enqueue(keyOfObject(object));
};

const keyOfObject = (object: KubeObject): string => keyOf(nameOf(object));

const objectOf = ({ before, after }: ObjectChange<KubeObject>): KubeObject => {
  const object = after ?? before;
  if (object === null) throw new TypeError('a change of nothing');
  return object;
};
