/** Looks at the proxy's condition every second, so that no call has to, and tells of each change once. */
import type { Timers } from '@tollgate/runtime';
import type { Condition } from './degraded.ts';

export interface ConditionWatch {
  /** For an answer's header: the reasons as last seen; null = fresh. */
  header(): string | null;
  close(): void;
}

export interface ConditionWatchDeps {
  readonly condition: () => Condition;
  readonly timers: Timers;
  readonly onChange: (condition: Condition) => void;
}

const LOOK_MS = 1_000;

export const watchCondition = ({ condition, timers, onChange }: ConditionWatchDeps): ConditionWatch => {
  let header: string | null = null;
  const look = (): void => {
    const now = condition();
    const text = now.reasons.length === 0 ? null : now.reasons.join(', ');
    if (text !== header) onChange(now);
    header = text;
    cancel = timers.after(LOOK_MS, look);
  };
  let cancel = timers.after(LOOK_MS, look);
  return {
    header: () => header,
    close: () => {
      cancel();
    },
  };
};
