/** What the processes log, on its way to a person: held for a moment, so that the one line that explains it comes first. */
import type { Timers } from '@tollgate/runtime';

export interface News {
  print(line: string): void;
  /** The cause has been said: nothing that is held, or comes after it, is printed. */
  silence(): void;
  /** Prints what is held at once. */
  flush(): void;
}

export interface NewsOptions {
  readonly write: (text: string) => void;
  readonly timers: Timers;
  readonly holdMs: number;
}

export const makeNews = ({ write, timers, holdMs }: NewsOptions): News => {
  let held: string[] = [];
  let isSilent = false;
  let cancel = (): void => undefined;
  const flush = (): void => {
    cancel();
    const lines = held;
    held = [];
    for (const line of lines) write(line);
  };
  return {
    print: (line) => {
      if (isSilent) return;
      if (held.push(line) === 1) cancel = timers.after(holdMs, flush);
    },
    silence: () => {
      isSilent = true;
      cancel();
      held = [];
    },
    flush,
  };
};
