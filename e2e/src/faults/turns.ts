/** Who may run beside whom: faults of the two lanes at once, but for those that must be alone to be judged. */
export interface Turns {
  take<T>(isAlone: boolean, work: () => Promise<T>): Promise<T>;
}

export const makeTurns = (): Turns => {
  let active = 0;
  let isHeld = false;
  let waitingAlone = 0;
  let wake: (() => void)[] = [];

  const changed = (): void => {
    const all = wake;
    wake = [];
    for (const each of all) each();
  };
  const untilChange = (): Promise<void> => new Promise((resolve) => wake.push(resolve));

  const enter = async (isAlone: boolean): Promise<void> => {
    if (!isAlone) {
      // Else one that wants to be alone would wait for ever.
      while (isHeld || waitingAlone > 0) await untilChange();
      active += 1;
      return;
    }
    waitingAlone += 1;
    while (isHeld || active > 0) await untilChange();
    waitingAlone -= 1;
    isHeld = true;
    active += 1;
  };

  return {
    take: async (isAlone, work) => {
      await enter(isAlone);
      try {
        return await work();
      } finally {
        active -= 1;
        if (isAlone) isHeld = false;
        changed();
      }
    },
  };
};
