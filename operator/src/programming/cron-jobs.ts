/** Which CronJob made a Job. Asked once a Job: its owner never changes. */
import type { KubeApi } from '../kube/kube-api.ts';
import { JOBS } from '../kinds.ts';
import type { KubeMeta } from '../kube/kube-object.ts';
import type { Logger } from '@tollgate/runtime';
import { controllerOf, isMaybeScheduled } from './workload-owner.ts';

export interface CronJobs {
  /** Null: none, or not known yet. */
  of(jobUid: string): string | null;
  /** Asks for the Jobs of these pods that are not known. A fault is logged, and that Job asked for again next time. */
  learn(pods: readonly { readonly metadata: KubeMeta }[]): Promise<void>;
}

export const makeCronJobs = ({ api, log }: { readonly api: Pick<KubeApi, 'get'>; readonly log: Logger }): CronJobs => {
  const known = new Map<string, string | null>();
  const ask = async (namespace: string, name: string, uid: string): Promise<void> => {
    const job = await api.get(JOBS, { namespace, name });
    // A Job that is gone, or made again under its name, tells nothing of the one that made the pod.
    if (job === null || job.metadata.uid !== uid) return void known.set(uid, null);
    const owner = controllerOf(job.metadata);
    known.set(uid, owner?.kind === 'CronJob' ? owner.name : null);
  };
  return {
    of: (jobUid) => known.get(jobUid) ?? null,
    learn: async (pods) => {
      const jobs = new Map<string, { readonly namespace: string; readonly name: string }>();
      for (const { metadata } of pods) {
        const owner = controllerOf(metadata);
        if (owner === null || metadata.namespace === undefined || !isMaybeScheduled(owner)) continue;
        jobs.set(owner.uid, { namespace: metadata.namespace, name: owner.name });
      }
      for (const uid of known.keys()) if (!jobs.has(uid)) known.delete(uid);
      for (const [uid, { namespace, name }] of jobs) {
        if (known.has(uid)) continue;
        await ask(namespace, name, uid).catch((err: unknown) =>
          log.warn(
            { namespace, name, kind: 'Job', err },
            'the owner of a Job cannot be read: its pods count as the Job',
          ),
        );
      }
    },
  };
};
