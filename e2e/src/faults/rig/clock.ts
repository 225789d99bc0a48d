/** The wall clock of a process, as libfaketime shows it: it may jump while the process runs. Monotonic time is left alone. */
import { existsSync, writeFileSync } from 'node:fs';

export interface RigClock {
  /** As libfaketime writes it: `+1h`, `-1d`, `+0`. */
  jump(offset: string): void;
  readonly env: Readonly<Record<string, string>>;
}

const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
];

export const makeClock = (file: string): RigClock => {
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined) throw new Error('libfaketime is not installed: apt-get install faketime');
  const jump = (offset: string): void => writeFileSync(file, `${offset}\n`);
  jump('+0');
  return {
    jump,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Seconds until a change of the file is seen.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  };
};
