/** The Lease by which one process leads: who may take it, and what is written to take it or to give it back. Pure. */
import type { KubeKind, KubeObject } from './kube-object.ts';
import { microTime } from './micro-time.ts';

export const LEASE_KIND: KubeKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** What was seen of the lease, and when that was first seen so, by the clock of this process. */
export interface Observation {
  readonly spec: string;
  readonly atMs: number;
}

/**
 * Clocks of machines differ, so the times in a lease are never compared with one's own: a lease is over when it has not
 * changed for as long as it is valid, as seen from here.
 */
export const observe = (before: Observation | null, lease: Lease, nowMs: number): Observation => {
  const spec = JSON.stringify(lease.spec ?? {});
  return before !== null && before.spec === spec ? before : { spec, atMs: nowMs };
};

export const isHeldByOther = (
  lease: Lease,
  identity: string,
  { atMs }: Observation,
  nowMs: number,
  leaseMs: number,
): boolean => {
  const { holderIdentity = '', leaseDurationSeconds } = lease.spec ?? {};
  if (holderIdentity === '' || holderIdentity === identity) return false;
  // The holder's own promise counts: another version may have been told another duration.
  const validMs = leaseDurationSeconds === undefined ? leaseMs : leaseDurationSeconds * 1000;
  return nowMs - atMs < validMs;
};

/** The spec that makes `identity` the holder, or keeps it so. */
export const heldSpec = (
  before: LeaseSpec | undefined,
  identity: string,
  wallMs: number,
  leaseMs: number,
): LeaseSpec => {
  const now = microTime(wallMs);
  const isRenewal = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: isRenewal ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: before === undefined ? 0 : (before.leaseTransitions ?? 0) + (isRenewal ? 0 : 1),
  };
};

/** The spec that nobody holds: the next one takes it without waiting. */
export const freeSpec = (before: LeaseSpec, wallMs: number): LeaseSpec => ({
  leaseDurationSeconds: 1,
  renewTime: microTime(wallMs),
  ...(before.leaseTransitions === undefined ? {} : { leaseTransitions: before.leaseTransitions }),
});
