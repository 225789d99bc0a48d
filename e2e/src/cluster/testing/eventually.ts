/** What a cluster comes to by itself: asked again until it is so. The limit is against hanging, and no measure of speed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

const LIMIT_MS = 90_000;
const PAUSE_MS = 500;

/** Resolves with the answer that satisfies; rejects with what the last one was. */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T>,
  isSo: (answer: T) => boolean,
  limitMs = LIMIT_MS,
): Promise<T> => {
  const end = Date.now() + limitMs;
  for (;;) {
    const asked = await ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in asked && isSo(asked.answer)) return asked.answer;
    if (Date.now() > end) {
      const last = 'answer' in asked ? inspect(asked.answer) : String(asked.error);
      throw new Error(`not so after ${String(limitMs / 1000)} s: ${what}; the last answer was ${last}`);
    }
    await sleep(PAUSE_MS);
  }
};
