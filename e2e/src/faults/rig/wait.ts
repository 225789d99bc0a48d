/** Waiting, with an end to it. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const LOOK_MS = 50;

/** Asks until the answer is true; throws what was waited for after so many milliseconds. */
export const until = async (
  what: string,
  withinMs: number,
  isSo: () => boolean | Promise<boolean>,
  everyMs = LOOK_MS,
): Promise<void> => {
  const end = performance.now() + withinMs;
  for (;;) {
    if (await isSo()) return;
    if (performance.now() > end) throw new Error(`${what}: not within ${String(withinMs)} ms`);
    await pause(everyMs);
  }
};
