/**
 * Time that moves only when told. Between two moments everything that was promised is run to its end, so that a run is
 * decided by its seed alone.
 */
import type { Timers } from '../escrow/timers.ts';
import { makeAlarms } from './alarms.ts';

export interface VirtualTime {
  readonly timers: Timers;
  clock(): number;
  /** Moves on by `ms`, stopping at every timer on the way; `look` is called after each. */
  advance(ms: number, look?: () => void): Promise<void>;
  /** Moves to the next timer; false where there is none. */
  step(): Promise<boolean>;
  /** Runs what is promised, at the present moment. */
  settle(): Promise<void>;
}

/**
 * Timers a turn of the event loop. Node runs every microtask between two immediates of one turn, however deep, so each
 * finds the world at rest, and only one in so many pays for a look at the sockets.
 */
const TIMERS_A_TURN = 64;

export const makeVirtualTime = (startMs = 0): VirtualTime => {
  const alarms = makeAlarms();
  let now = startMs;

  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  /** False where nothing is due by then. */
  const ringOne = (until: number): boolean => {
    const alarm = alarms.takeDue(until);
    if (alarm === null) return false;
    now = Math.max(now, alarm.at);
    alarm.act();
    return true;
  };

  const ringAll = (until: number, look: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      let isOver = false;
      const one = (): void => {
        if (isOver) return;
        try {
          look();
          isOver = !ringOne(until);
        } catch (fault) {
          isOver = true;
          reject(fault instanceof Error ? fault : new Error(String(fault)));
          return;
        }
        if (isOver) resolve();
      };
      const turn = (): void => {
        if (isOver) return;
        for (let count = 0; count < TIMERS_A_TURN; count += 1) setImmediate(one);
        setImmediate(turn);
      };
      turn();
    });

  return {
    timers: { after: (ms, act) => alarms.add(now + Math.max(0, Math.ceil(ms)), act) },
    clock: () => now,
    advance: async (ms, look = () => undefined) => {
      const until = now + ms;
      await ringAll(until, look);
      now = until;
    },
    step: async () => {
      await settle();
      const hasRung = ringOne(Infinity);
      await settle();
      return hasRung;
    },
    settle,
  };
};
