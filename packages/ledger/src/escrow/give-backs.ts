/** What goes back to the ledger: gathered for a moment, sent until it is answered. */
import type { GiveBackRequest, LeasePort } from '../lease-port.ts';
import type { Return } from './lease.ts';
import { makeBackoff, mayPass } from './retry.ts';
import type { CancelTimer, Timers } from './timers.ts';

export interface GiveBacks {
  add(returns: readonly Return[]): void;
  /** True while something of this epoch (of any, without one) is not answered for. */
  isPending(epoch?: string): boolean;
  /** Sends at once what is gathered; resolves when all is answered. */
  flush(): Promise<void>;
}

export interface GiveBackDeps {
  readonly port: Pick<LeasePort, 'giveBack'>;
  readonly instance: string;
  readonly nextSeq: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  readonly onFault: (fault: unknown, doing: string) => void;
}

const GATHER_MS = 10;
const MOST_RETURNS = 1_000;

export const makeGiveBacks = ({ port, instance, nextSeq, timers, random, onFault }: GiveBackDeps): GiveBacks => {
  const gathered: Return[] = [];
  let sending: GiveBackRequest | null = null;
  let cancel: CancelTimer | null = null;
  let emptied: (() => void)[] = [];
  const backoff = makeBackoff(50, 2_000, random);

  const schedule = (): void => {
    if (sending === null && cancel === null) cancel = timers.after(GATHER_MS, start);
  };

  const start = (): void => {
    cancel?.();
    cancel = null;
    if (sending !== null) return;
    if (gathered.length === 0) {
      for (const resolve of emptied) resolve();
      emptied = [];
      return;
    }
    sending = { instance, seq: nextSeq(), returns: gathered.splice(0, MOST_RETURNS) };
    void send(sending);
  };

  const send = async (request: GiveBackRequest): Promise<void> => {
    try {
      await port.giveBack(request);
    } catch (fault) {
      onFault(fault, 'give back');
      if (mayPass(fault)) {
        timers.after(backoff.next(), () => void send(request));
        return;
      }
      // The ledger does not take it: it stays on our account there until this instance closes.
    }
    backoff.reset();
    sending = null;
    start();
  };

  return {
    add: (returns) => {
      for (const entry of returns) gathered.push(entry);
      if (gathered.length > 0) schedule();
    },
    isPending: (epoch) => {
      const waits = (entry: Return): boolean => epoch === undefined || entry.epoch === epoch;
      return gathered.some(waits) || (sending !== null && sending.returns.some(waits));
    },
    flush: () =>
      new Promise((resolve) => {
        emptied.push(resolve);
        start();
      }),
  };
};
