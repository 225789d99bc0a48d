/** Which pod of the server is asked. Pure. */
import type { KubeObject } from '@tollgate/operator/kube';

export interface ServerPod extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Null where none would answer. */
export const podToAsk = (pods: readonly ServerPod[]): string | null =>
  pods
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && isReady(status))
    .map(({ metadata }) => metadata.name)
    .sort()[0] ?? null;

const isReady = (status: ServerPod['status']): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
