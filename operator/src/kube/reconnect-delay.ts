/** How long a reflector stays away from the server after a list or a watch ended. */
import { KubeFault } from './kube-fault.ts';

export interface ReconnectDelay {
  /**
   * Milliseconds until the next try: 800 after the first end, twice as long after each further one, at most 5,000; at most
   * 30,000 where the server is there and refuses.
   */
  next(error: unknown): number;
  /** It works: the next end is a first one. */
  reset(): void;
}

const FIRST_MS = 800;
/** The first call of a new pod waits 10 s for the server to hear of that pod, which it does from us. */
const MOST_MS = 5_000;
const MOST_REFUSED_MS = 30_000;
/** Up to a fifth more: all processes lose the server at the same moment. */
const JITTER = 0.2;
/** A server that asks for more than that is waited for no longer. */
const MOST_ASKED_MS = 300_000;

export const makeReconnectDelay = (random: () => number): ReconnectDelay => {
  let ends = 0;
  return {
    next: (error) => {
      const isRefused = error instanceof KubeFault && error.status >= 400 && error.status < 500;
      const ownMs = Math.min(isRefused ? MOST_REFUSED_MS : MOST_MS, FIRST_MS * 2 ** ends);
      ends += 1;
      const askedMs = error instanceof KubeFault ? Math.min(MOST_ASKED_MS, error.retryAfterMs ?? 0) : 0;
      return Math.max(ownMs, askedMs) * (1 + JITTER * random());
    },
    reset: () => {
      ends = 0;
    },
  };
};
