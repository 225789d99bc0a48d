/**
 * Time that moves only when told. Between two moments everything that was promised is run to its end, so that a run is
 * decided by its seed alone.
 */
import type { Timers } from '../escrow/timers.ts';

export interface VirtualTime {
  readonly timers: Timers;
  clock(): number;
  /** Moves on by `ms`, stopping at every timer on the way. */
  advance(ms: number): Promise<void>;
  /** Moves to the next timer; false where there is none. */
  step(): Promise<boolean>;
  /** Runs what is promised, at the present moment. */
  settle(): Promise<void>;
}

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

export const makeVirtualTime = (startMs = 0): VirtualTime => {
  const alarms = new Set<Alarm>();
  let now = startMs;
  let order = 0;

  const next = (): Alarm | null => {
    let first: Alarm | null = null;
    for (const alarm of alarms) {
      if (first === null || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order)) first = alarm;
    }
    return first;
  };

  // A turn of the event loop: every microtask, however deep, has run by then.
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  const ring = async (alarm: Alarm): Promise<void> => {
    alarms.delete(alarm);
    now = Math.max(now, alarm.at);
    alarm.act();
    await settle();
  };

  return {
    timers: {
      after: (ms, act) => {
        order += 1;
        const alarm = { at: now + Math.max(0, Math.ceil(ms)), order, act };
        alarms.add(alarm);
        return () => void alarms.delete(alarm);
      },
    },
    clock: () => now,
    advance: async (ms) => {
      const until = now + ms;
      await settle();
      for (let alarm = next(); alarm !== null && alarm.at <= until; alarm = next()) await ring(alarm);
      now = until;
    },
    step: async () => {
      await settle();
      const alarm = next();
      if (alarm) await ring(alarm);
      return alarm !== null;
    },
    settle,
  };
};
