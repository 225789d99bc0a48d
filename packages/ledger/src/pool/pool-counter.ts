import { counterKey, type CounterName } from '../counter.ts';
import type { CounterTerms } from './block-source.ts';

/** One counter in one window, as the pool sees it: what is still here, and what each instance has in hand. */
export interface PoolCounter {
  terms: CounterTerms;
  /** Written down as gone and not leased. Below zero only as a debt that a too small hold left behind. */
  balance: bigint;
  /** The maximum less all blocks out, as the source last said. */
  free: bigint;
  readonly hands: Map<string, Hand>;
}

/** `given` is granted − given back. What the instance still has in hand is given − settled. */
export interface Hand {
  given: bigint;
  settled: bigint;
}

export const makePoolCounter = (terms: CounterTerms): PoolCounter => ({
  terms,
  balance: 0n,
  free: terms.max,
  hands: new Map(),
});

export const windowKey = (name: CounterName, windowId: string): string => `${counterKey(name)}@${windowId}`;

export const handOf = (counter: PoolCounter, instance: string): Hand => {
  const hand = counter.hands.get(instance) ?? { given: 0n, settled: 0n };
  counter.hands.set(instance, hand);
  return hand;
};

export const outstanding = (hand: Hand | undefined): bigint => (hand ? hand.given - hand.settled : 0n);

export const leased = (counter: PoolCounter): bigint => {
  let total = 0n;
  for (const hand of counter.hands.values()) total += outstanding(hand);
  return total;
};
