/** One job at a time for each key, in the order asked; jobs of different keys do not wait for each other. Not re-entrant. */
export interface KeyLocks {
  /** `waited`: another job of this key ran in between the question and now. */
  run<T>(key: string, job: (waited: boolean) => Promise<T>): Promise<T>;
}

export const makeKeyLocks = (): KeyLocks => {
  const last = new Map<string, Promise<unknown>>();
  return {
    run: async (key, job) => {
      const before = last.get(key);
      const run = before ? before.then(() => job(true)) : job(false);
      const ended = run.catch(() => undefined);
      last.set(key, ended);
      try {
        return await run;
      } finally {
        if (last.get(key) === ended) last.delete(key);
      }
    },
  };
};
