/**
 * Runs jobs one after another, in the order asked. A job that fails does not hold up the next. Not re-entrant: a job
 * must not ask the same lock again.
 */
export type AsyncLock = <T>(job: () => Promise<T>) => Promise<T>;

export const makeAsyncLock = (): AsyncLock => {
  let last: Promise<unknown> = Promise.resolve();
  return async function locked<T>(job: () => Promise<T>): Promise<T> {
    const run = last.then(job);
    last = run.catch(() => undefined);
    return run;
  };
};
