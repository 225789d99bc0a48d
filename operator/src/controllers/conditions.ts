/** Conditions of a status from what is claimed now and what was written before. Pure. */
import type { Condition } from '@tollgate/api';

export interface Claim {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

export interface ConditionContext {
  readonly former: readonly Condition[];
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The time of a transition stays while the status does, whatever the reason. */
export const conditionsOf = (
  claims: readonly Claim[],
  { former, generation, now }: ConditionContext,
): readonly Condition[] =>
  claims.map(({ type, status, reason, message }) => {
    const before = former.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : wholeSeconds(now),
      reason,
      message: message.slice(0, MESSAGE_MAX),
    };
  });

const MESSAGE_MAX = 8_192;

/** As Kubernetes writes times. */
export const wholeSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
