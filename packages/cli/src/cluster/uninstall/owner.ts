/** Whose pod it is, as kubectl takes it. Pure. */
import { PodSchema, workloadOf } from '@tollgate/operator/injection';
import type { KubeMeta } from '@tollgate/operator/kube';

/** `deployment/web`; a pod that nobody makes again is `pod/NAME`. */
export const ownerOf = (metadata: KubeMeta): string => {
  const parsed = PodSchema.safeParse({ metadata, spec: {} });
  if (!parsed.success) return `pod/${metadata.name}`;
  const { kind, name } = workloadOf(parsed.data);
  return `${kind.toLowerCase()}/${name}`;
};
