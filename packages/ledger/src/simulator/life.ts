/** One life of a simulated process: once it is over, nothing it still does has any effect. */
import type { Timers } from '../escrow/timers.ts';
import type { SpoolDisk } from '../spool/spool-disk.ts';

export interface ProcessLife {
  isAlive(): boolean;
  kill(): void;
  /** Timers that die with the process. */
  timers(of: Timers): Timers;
  /** A disk that nothing reaches after the end, and that may bring the end at a given record. */
  disk(of: SpoolDisk, crash: CrashPoint | null): SpoolDisk;
  /** Records written so far. */
  readonly written: { count: number };
}

/** At the nth record of this life: before it is written, with half of it written, or just after. */
export interface CrashPoint {
  readonly record: number;
  readonly when: 'before' | 'torn' | 'after';
}

export class ProcessDied extends Error {}

export const makeProcessLife = (onDeath: () => void): ProcessLife => {
  let alive = true;
  const written = { count: 0 };
  const kill = (): void => {
    if (!alive) return;
    alive = false;
    onDeath();
  };
  const ifAlive = <T>(work: () => T): T => {
    if (!alive) throw new ProcessDied('this process is dead');
    return work();
  };

  return {
    isAlive: () => alive,
    kill,
    written,
    timers: (of) => ({
      after: (ms, act) =>
        of.after(ms, () => {
          if (alive) act();
        }),
    }),
    disk: (of, crash) => ({
      open: (name) => {
        const file = ifAlive(() => of.open(name));
        return {
          read: () => ifAlive(file.read),
          readAt: (at, length) => ifAlive(() => file.readAt(at, length)),
          truncate: (length) => {
            ifAlive(() => file.truncate(length));
          },
          isThere: file.isThere,
          close: file.close,
          append: (bytes) => {
            ifAlive(() => undefined);
            written.count += 1;
            const now = crash !== null && written.count === crash.record ? crash.when : null;
            if (now === 'torn') file.append(bytes.subarray(0, bytes.length >> 1));
            else if (now !== 'before') file.append(bytes);
            if (now === null) return;
            kill();
            throw new ProcessDied(`crashed ${now} record ${String(crash?.record)}`);
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
