/** One acquisition, asked under one sequence number until it is answered, since a lost reply may have been a grant. */
import type { AcquireResult, LeasePort, Need } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { makeBackoff, mayPass } from './retry.ts';
import type { Timers } from './timers.ts';

export interface Answer {
  readonly result: AcquireResult;
  /** When it was first asked, monotonic: no grant is older. */
  readonly askedAt: number;
}

/** Null: the escrow ended before an answer came. Throws what asking again cannot mend. */
export type Acquire = (needs: readonly Need[], isWanted: () => boolean) => Promise<Answer | null>;

export interface AcquireDeps {
  readonly port: Pick<LeasePort, 'acquire'>;
  readonly instance: string;
  readonly nextSeq: () => number;
  readonly clock: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  readonly isEnding: () => boolean;
  readonly onFault: (fault: unknown, doing: string) => void;
}

/** Asked for a waiting call, and asked only so that a lost grant is not stranded. */
const WANTED_MOST_MS = 400;
const UNWANTED_MS = 1_000;

export const makeAcquire =
  ({ port, instance, nextSeq, clock, timers, random, isEnding, onFault }: AcquireDeps): Acquire =>
  async (needs, isWanted) => {
    const request = { instance, seq: nextSeq(), needs };
    const askedAt = clock();
    const backoff = makeBackoff(20, WANTED_MOST_MS, random);
    for (;;) {
      try {
        return { result: await port.acquire(request), askedAt };
      } catch (fault) {
        onFault(fault, 'acquire');
        // A refusal granted nothing: with nobody waiting there is nothing to find out.
        if (!mayPass(fault) || (fault instanceof LedgerRefused && !isWanted())) throw fault;
      }
      if (isEnding()) return null;
      const pause = isWanted() ? backoff.next() : UNWANTED_MS;
      await new Promise<void>((resolve) => {
        timers.after(pause, resolve);
      });
      if (isEnding()) return null;
    }
  };
