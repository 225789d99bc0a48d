/**
 * One life of a simulated process: once it is over, nothing it still does has any effect, and while it is paused nothing
 * it waits for happens.
 */
import type { Timers } from '../escrow/timers.ts';
import type { SpoolDisk } from '../spool/spool-disk.ts';

export interface ProcessLife {
  isAlive(): boolean;
  kill(): void;
  pause(): void;
  resume(): void;
  /** It is paused, or will crash. */
  isTroubled(): boolean;
  /** Resolves once the process runs; never, if it is dead by then. */
  running(): Promise<void>;
  /** Timers that die with the process. */
  timers(of: Timers): Timers;
  /** A disk that nothing reaches after the end, and that may bring the end at a given record. */
  disk(of: SpoolDisk): SpoolDisk;
  /** Ends this life at the nth record from now. */
  crashAt(point: CrashPoint): void;
  /** Records written so far. */
  readonly written: { count: number };
}

/** At the nth record: before it is written, with half of it written, or just after. */
export interface CrashPoint {
  readonly record: number;
  readonly when: 'before' | 'torn' | 'after';
}

export class ProcessDied extends Error {}

export const makeProcessLife = (onDeath: () => void): ProcessLife => {
  let isAlive = true;
  let isPaused = false;
  let waiting: (() => void)[] = [];
  let crash: CrashPoint | null = null;
  const written = { count: 0 };

  const kill = (): void => {
    if (!isAlive) return;
    isAlive = false;
    onDeath();
  };
  const ifAlive = <T>(work: () => T): T => {
    if (!isAlive) throw new ProcessDied('this process is dead');
    return work();
  };
  const whenRunning = (act: () => void): void => {
    if (!isAlive) return;
    if (isPaused) waiting.push(act);
    else act();
  };
  const resume = (): void => {
    isPaused = false;
    const now = waiting;
    waiting = [];
    for (const act of now) whenRunning(act);
  };
  const crashNow = (): CrashPoint['when'] | null => {
    if (crash === null || written.count !== crash.record) return null;
    return crash.when;
  };

  return {
    isAlive: () => isAlive,
    isTroubled: () => isPaused || (crash !== null && written.count < crash.record),
    kill,
    pause: () => {
      isPaused = true;
    },
    resume,
    running: () => new Promise((resolve) => void whenRunning(resolve)),
    written,
    crashAt: ({ record, when }) => {
      crash = { record: written.count + record, when };
    },
    timers: (of) => ({
      after: (ms, act) => {
        let isOff = false;
        const cancel = of.after(ms, () => {
          whenRunning(() => {
            if (!isOff) act();
          });
        });
        return () => {
          isOff = true;
          cancel();
        };
      },
    }),
    disk: (of) => ({
      open: (name) => {
        const file = ifAlive(() => of.open(name));
        return {
          read: () => ifAlive(file.read),
          readAt: (at, length) => ifAlive(() => file.readAt(at, length)),
          truncate: (length) => {
            ifAlive(() => {
              file.truncate(length);
            });
          },
          isThere: file.isThere,
          close: file.close,
          append: (bytes) => {
            ifAlive(() => undefined);
            written.count += 1;
            const now = crashNow();
            if (now === 'torn') file.append(bytes.subarray(0, bytes.length >> 1));
            else if (now !== 'before') file.append(bytes);
            if (now === null) return;
            kill();
            throw new ProcessDied(`crashed ${now} a record`);
          },
        };
      },
      names: of.names,
      remove: (name) => {
        ifAlive(() => {
          of.remove(name);
        });
      },
      room: of.room,
      renew: () => {
        ifAlive(of.renew);
      },
      rename: (from, to) => {
        ifAlive(() => {
          of.rename(from, to);
        });
      },
      close: of.close,
    }),
  };
};
