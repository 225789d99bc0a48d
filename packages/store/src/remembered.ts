/** Answers that never change, asked for once and kept, up to a number of them: whoever asks in vain asks the database. */
export interface Remembered<Wanted, Value> {
  /** What is wanted, by key. Lacks what `ask` did not answer. The answer is the caller's own: others may forget meanwhile. */
  find(wanted: ReadonlyMap<string, Wanted>): Promise<ReadonlyMap<string, Value>>;
  forget(): void;
}

export const makeRemembered = <Wanted, Value>({
  most,
  ask,
}: {
  readonly most: number;
  readonly ask: (missing: ReadonlyMap<string, Wanted>) => Promise<ReadonlyMap<string, Value>>;
}): Remembered<Wanted, Value> => {
  let known = new Map<string, Value>();
  return {
    find: async (wanted) => {
      const answer = new Map<string, Value>();
      const missing = new Map<string, Wanted>();
      for (const [key, one] of wanted) {
        const value = known.get(key);
        if (value === undefined) missing.set(key, one);
        else answer.set(key, value);
      }
      if (missing.size === 0) return answer;
      const into = known;
      const found = await ask(missing);
      // What was forgotten while we asked stays forgotten.
      if (into.size + found.size > most) into.clear();
      for (const [key, value] of found) {
        into.set(key, value);
        answer.set(key, value);
      }
      return answer;
    },
    forget: () => {
      known = new Map();
    },
  };
};
