/** What was opened is closed in the opposite order, within the grace period. */
import type { Timers } from './timers.ts';

export interface ReleaseReport {
  /** The first fault, by name; later ones are usually its consequences. */
  readonly firstError: { readonly name: string; readonly error: unknown } | null;
  readonly failed: readonly string[];
  /** Not finished when the grace period ended. */
  readonly late: readonly string[];
}

export interface Releases {
  /** Stacks a release; it may be taken off again by calling what is returned. */
  add(name: string, release: () => unknown): () => void;
  /** Runs all, last in first out. A second call joins the first. */
  run(graceMs: number): Promise<ReleaseReport>;
}

/**
 * Each release is waited for until the grace period ends; the rest are still started, so that files and sockets are let
 * go of, but no longer waited for.
 */
export const makeReleases = (timers: Timers): Releases => {
  const stack: { name: string; release: () => unknown }[] = [];
  let running: Promise<ReleaseReport> | null = null;

  const runAll = async (graceMs: number): Promise<ReleaseReport> => {
    let firstError: ReleaseReport['firstError'] = null;
    const failed: string[] = [];
    const late: string[] = [];
    const deadline = makeDeadline(graceMs, timers);
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      const { name, release } = entry;
      const finished = Promise.resolve()
        .then(release)
        .then(
          () => 'done' as const,
          (error: unknown) => {
            failed.push(name);
            firstError ??= { name, error };
            return 'done' as const;
          },
        );
      if ((await Promise.race([finished, deadline.passed])) === 'passed') late.push(name);
    }
    deadline.clear();
    return { firstError, failed, late };
  };

  return {
    add: (name, release) => {
      const entry = { name, release };
      stack.push(entry);
      return () => {
        const index = stack.indexOf(entry);
        if (index >= 0) stack.splice(index, 1);
      };
    },
    run: (graceMs) => (running ??= runAll(graceMs)),
  };
};

const makeDeadline = (graceMs: number, timers: Timers): { passed: Promise<'passed'>; clear: () => void } => {
  let clear = (): void => undefined;
  const passed = new Promise<'passed'>((resolve) => {
    clear = timers.after(graceMs, () => resolve('passed'));
  });
  return { passed, clear };
};
