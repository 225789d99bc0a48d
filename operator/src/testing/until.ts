import { setTimeout as sleep } from 'node:timers/promises';

/** As long as a busy machine may need; how long it takes is measured elsewhere. A failed look is one that does not find it. */
export const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  const end = Date.now() + 45_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error(`not so in 45 s: ${what}`);
    await sleep(100);
  }
};
