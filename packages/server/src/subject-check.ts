/** Whom a proxy speaks for is what its token says. What it says itself may add to that, and never differ from it. */
import type { Subject } from '@tollgate/api';
import type { Caller, WorkloadIdentity } from './auth/token-review.ts';

export type SubjectCheck =
  { readonly ok: true; readonly subject: Subject } | { readonly ok: false; readonly message: string };

/** The subject of a hello: namespace, service account and pod by the token, the rest as claimed. */
export const checkSubject = ({ workload: identity }: Pick<Caller, 'workload'>, claimed: Subject): SubjectCheck => {
  if (!identity) return { ok: true, subject: claimed };
  const { namespace, serviceAccount, pod } = identity;
  const foreign = (what: string): SubjectCheck => ({ ok: false, message: `this token is not one of that ${what}` });
  if (claimed.namespace !== namespace) return foreign('namespace');
  if (claimed.serviceAccount !== undefined && claimed.serviceAccount !== serviceAccount) {
    return foreign('service account');
  }
  if (pod && claimed.pod !== undefined && claimed.pod !== pod.name) return foreign('pod');
  if (pod && !isPodOf(pod.name, claimed.workload)) return foreign('workload');
  return { ok: true, subject: { ...claimed, serviceAccount, ...(pod ? { pod: pod.name } : {}) } };
};

/** May this caller speak for an instance that said hello as this subject? */
export const isSameIdentity = (identity: WorkloadIdentity | null, subject: Subject): boolean =>
  identity === null ||
  (subject.namespace === identity.namespace &&
    subject.serviceAccount === identity.serviceAccount &&
    subject.pod === identity.pod?.name);

/**
 * Pods are named after what made them, cut where the name would get too long: `web-7d4b9c-x2x4z`, `web-0`. That tells a
 * workload's pod from another's, though not `web` from `web-admin`: labels and owners are the injector's to check.
 */
const isPodOf = (pod: string, workload: string): boolean => {
  const start = workload.slice(0, LONGEST_KEPT);
  return pod === workload || pod.startsWith(start.length < workload.length ? start : `${start}-`);
};

/** The API server keeps 58 characters of a generated name, and a ReplicaSet's hash takes up to 11 of them. */
const LONGEST_KEPT = 47;
