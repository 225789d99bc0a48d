/**
 * Observes budgets, routes, inference services, namespaces and injected pods; decides what the server should have in
 * force; tells it. For as long as this process leads.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import { keyOf, type KubeObject } from '../kube/kube-object.ts';
import type { ObjectCache } from '../kube/object-cache.ts';
import { REFUSED_BY_SERVER, type ManifestAdmission } from './admitted-manifest.ts';
import type { CronJobs } from './cron-jobs.ts';
import { desiredResources } from './desired-resources.ts';
import type { KServeAddress } from './inference-targets.ts';
import type { InjectedPod } from './injected-pod.ts';
import { podEntries, type PodEntriesDeps } from './pod-entries.ts';
import { startPushLoop } from './push-loop.ts';
import { refusedManifests, type RefusedManifest } from './refused-manifests.ts';
import type { ServerClient, ServerResources } from './server-client.ts';

export interface Programming {
  /** The generation of a budget that the server took last; null: it has not taken this budget from us. */
  takenGeneration(budget: string): number | null;
  /** KServe's services are watched elsewhere. */
  kick(): void;
  /** The server was away, or is back. */
  recheck(): void;
  stop(): Promise<void>;
}

export interface ProgrammingDeps extends Pick<PodEntriesDeps, 'teamLabel' | 'proxyRepositories'> {
  readonly budgets: ObjectCache<KubeObject>;
  readonly routes: ObjectCache<KubeObject>;
  readonly services: ObjectCache<KubeObject>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly pods: ObjectCache<InjectedPod>;
  readonly kserve: () => readonly KServeAddress[];
  readonly admission: ManifestAdmission;
  readonly cronJobs: CronJobs;
  readonly client: Pick<ServerClient, 'putResources' | 'resourcesVersion' | 'putPods' | 'podsVersion'>;
  readonly timers: Timers;
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
  /** The server has taken the set, which may be the one it had. */
  readonly onTaken: () => void;
}

const RETRY_REFUSED_MS = 300_000;

/** To be called once all caches are synced: what is not in them yet would be taken out of force. */
export const startProgramming = (deps: ProgrammingDeps): Programming => {
  const { budgets, routes, services, namespaces, pods, admission, cronJobs, client, timers, log, onTaken } = deps;
  let taken: ReadonlyMap<string, number> = new Map();
  let version: string | null = null;
  let podsVersion: string | null = null;
  let cancelRetry: () => void = () => undefined;

  const compose = (): ServerResources =>
    desiredResources(
      {
        budgets: budgets.list(),
        routes: routes.list(),
        services: services.list(),
        kserve: deps.kserve(),
        namespaces: namespaces.list(),
      },
      admission,
    );
  const leaveOut = (refused: readonly RefusedManifest[]): void => {
    for (const { title, generation, message } of refused) {
      log.error({ resource: title, reason: REFUSED_BY_SERVER }, 'the server does not take a manifest: it is left out');
      admission.refuse(title, { generation, message });
    }
    if (refused.length === 0) return;
    resourceLoop.kick();
    cancelRetry();
    // A server of another version may take what this one did not.
    cancelRetry = timers.after(RETRY_REFUSED_MS, () => {
      for (const { title } of refused) admission.refuse(title, null);
      resourceLoop.kick();
    });
  };
  const put = async (resources: ServerResources): Promise<void> => {
    const next = await client.putResources(resources).catch((error: unknown) => {
      leaveOut(refusedManifests(error, resources));
      throw error;
    });
    taken = new Map(resources.budgets.map(({ metadata }) => [keyOf(metadata), metadata.generation ?? 0]));
    if (next !== version) {
      const count = resources.budgets.length + resources.routes.length + resources.inferenceServices.length;
      log.info({ version: next, count }, 'the server has taken the resources');
    }
    version = next;
    onTaken();
  };
  const isInForce = async (): Promise<boolean> => (await client.resourcesVersion()) === version;
  const resourceLoop = startPushLoop({ ...deps, resource: 'resources', compose, push: put, isInForce });
  const podLoop = startPushLoop({
    ...deps,
    resource: 'pods',
    compose: async () => {
      const injected = pods.list();
      await cronJobs.learn(injected);
      return podEntries(injected, { ...deps, cronJobOf: cronJobs.of });
    },
    push: async (entries) => {
      await client.putPods(entries);
      podsVersion = await client.podsVersion();
    },
    isInForce: async () => (await client.podsVersion()) === podsVersion,
  });

  const isOther = (before: KubeObject | null, after: KubeObject | null): boolean =>
    before?.metadata.uid !== after?.metadata.uid || before?.metadata.generation !== after?.metadata.generation;
  const subscriptions = [
    ...[budgets, routes].map((cache) =>
      cache.onChange(({ before, after }) => {
        // A status that was written is no change of what is asked for.
        if (isOther(before, after)) resourceLoop.kick();
      }),
    ),
    // Their status tells where they are reached; comparing what was composed sorts the rest out.
    services.onChange(() => resourceLoop.kick()),
    namespaces.onChange(() => resourceLoop.kick()),
    pods.onChange(() => podLoop.kick()),
  ];

  return {
    takenGeneration: (budget) => taken.get(budget) ?? null,
    kick: () => resourceLoop.kick(),
    recheck: () => {
      resourceLoop.recheck();
      podLoop.recheck();
    },
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      cancelRetry();
      await Promise.all([resourceLoop.stop(), podLoop.stop()]);
    },
  };
};
