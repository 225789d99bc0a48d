/**
 * Money for calls that wait, out of calls that are open: each open hold may be asked once to be bounded more tightly, and
 * what it then no longer needs is free again. One at a time, the largest first, since counting is work.
 */
import type { CounterState } from './counter-state.ts';
import type { OpenHold, Tighter } from './hold.ts';

export interface Relief {
  /** Looks for money on this counter for as long as it is wanted. */
  seek(state: CounterState, isWanted: () => boolean): void;
}

export interface ReliefDeps {
  /** Open holds that can still be asked. */
  readonly loose: Set<OpenHold>;
  /** True where something came free. */
  readonly tighten: (hold: OpenHold, tighter: Tighter) => boolean;
  /** Something came free on this counter. */
  readonly onFreed: (state: CounterState) => void;
}

export const makeRelief = ({ loose, tighten, onFreed }: ReliefDeps): Relief => {
  const seeking = new Set<CounterState>();

  const largestOn = ({ lease: present }: CounterState): OpenHold | null => {
    if (present === null) return null;
    let largest: OpenHold | null = null;
    let most = 0n;
    for (const hold of loose) {
      const amount = hold.legs.find(({ lease }) => lease === present)?.need.amount ?? 0n;
      if (amount > most) [largest, most] = [hold, amount];
    }
    return largest;
  };

  const askAll = async (state: CounterState, isWanted: () => boolean): Promise<void> => {
    while (isWanted()) {
      const hold = largestOn(state);
      if (hold === null) return;
      loose.delete(hold);
      const tighter = await askOne(hold);
      if (tighter !== null && tighten(hold, tighter)) onFreed(state);
    }
  };

  const askOne = async (hold: OpenHold): Promise<Tighter | null> => {
    try {
      return (await hold.tightenOpen?.()) ?? null;
    } catch {
      // Whatever kept the call from a smaller bound, it keeps the one it has.
      return null;
    }
  };

  return {
    seek: (state, isWanted) => {
      if (loose.size === 0 || seeking.has(state)) return;
      seeking.add(state);
      void askAll(state, isWanted).finally(() => seeking.delete(state));
    },
  };
};
