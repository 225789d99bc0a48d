/**
 * Nothing is counted twice: pools, hands, open holds and what is settled and on its way are within what the blocks
 * brought, and the blocks within their limit.
 */
import { counterKey, type CounterName } from '../counter.ts';
import type { LedgerEvent } from '../event.ts';
import { parseCounterKey } from '../pool/counter-key.ts';
import type { CounterKey, StateBalance } from '../pool/pool-state.ts';
import { outOf, type CounterTally } from '../pool/tally.ts';
import type { Findings } from './findings.ts';
import type { RunningLife } from './proxy.ts';
import type { SpendWatch } from './spend-watch.ts';

export interface ChainCheck {
  /** An event was settled at its proxy; it is on its way until it is committed. */
  settled(event: LedgerEvent): void;
  committed(events: readonly LedgerEvent[]): void;
  /** So much was lent under this maximum. What is spent and in hands may be above a lowered one, and then nothing is lent. */
  granted(key: CounterKey, max: bigint, amount: bigint): void;
  look(): void;
}

export interface ChainCheckDeps {
  readonly findings: Findings;
  readonly spend: Pick<SpendWatch, 'allowed'>;
  readonly tallies: () => readonly CounterTally[];
  readonly balances: () => readonly StateBalance[];
  readonly running: () => readonly RunningLife[];
  readonly isCommitted: (event: LedgerEvent) => boolean;
}

export const makeChainCheck = (deps: ChainCheckDeps): ChainCheck => {
  const { findings, spend, tallies, balances, running, isCommitted } = deps;
  /** By instance and sequence number. */
  const onTheWay = new Map<string, Map<number, LedgerEvent>>();
  /** What these come to, by instance. */
  const onTheWaySums = new Map<string, Amounts>();
  const names = new Map<CounterKey, CounterName & { readonly windowId: string }>();

  const addEvent = ({ instance, counters }: LedgerEvent, sign: 1n | -1n): void => {
    let sums = onTheWaySums.get(instance);
    if (!sums) onTheWaySums.set(instance, (sums = makeAmounts()));
    for (const counter of counters) sums.add(counterKey(counter), counter.windowId, counter.charged * sign);
  };

  /** It is on its way no more. */
  const forget = (instance: string, seq: number): void => {
    const events = onTheWay.get(instance);
    const event = events?.get(seq);
    if (event === undefined) return;
    events?.delete(seq);
    addEvent(event, -1n);
  };

  const nameOf = (key: CounterKey): CounterName & { readonly windowId: string } => {
    let name = names.get(key);
    if (!name) names.set(key, (name = parseCounterKey(key)));
    return name;
  };

  const known = (): Amounts => {
    const sums = inHandsOf();
    for (const { key, pooled } of balances()) {
      const name = nameOf(key);
      sums.add(counterKey(name), name.windowId, pooled);
    }
    return sums;
  };

  /** In hands, held, or settled and on its way. */
  const inHandsOf = (): Amounts => {
    const sums = makeAmounts();
    for (const { escrow, spool } of running()) {
      for (const lease of escrow.inHand()) sums.add(counterKey(lease), lease.windowId, lease.free + lease.held);
      for (const instance of spool.lives.keys()) onTheWaySums.get(instance)?.addTo(sums);
    }
    return sums;
  };

  return {
    settled: (event) => {
      if (isCommitted(event)) return;
      forget(event.instance, event.seq);
      const events = onTheWay.get(event.instance) ?? new Map<number, LedgerEvent>();
      onTheWay.set(event.instance, events);
      events.set(event.seq, event);
      addEvent(event, 1n);
    },
    committed: (events) => {
      for (const { instance, seq } of events) forget(instance, seq);
    },
    granted: (key, max, amount) => {
      const name = nameOf(key);
      const counter = counterKey(name);
      const { max: largest, over } = spend.allowed(counter, name.windowId);
      // Under the largest maximum that ever was, the blocks are the bound.
      if (amount === 0n || max >= largest) return;
      const tally = tallies().find((each) => counterKey(each) === counter && each.windowId === name.windowId);
      const spent = tally ? tally.settled + tally.unresolved : 0n;
      const out = spent + inHandsOf().of(counter, name.windowId) + amount;
      findings.must(
        out <= max + over,
        'bound',
        () => `${counter} ${name.windowId}: lent up to ${String(out)} under a maximum of ${String(max)}`,
      );
    },
    look: () => {
      const inHands = known();
      for (const tally of tallies()) {
        const { windowId, settled, unresolved } = tally;
        const counter = counterKey(tally);
        const out = outOf(tally);
        const { max, over } = spend.allowed(counter, windowId);
        findings.must(
          out <= max + over,
          'chain',
          () => `${counter} ${windowId}: ${String(out)} out of the counter, ${String(max + over)} allowed`,
        );
        const held = inHands.of(counter, windowId);
        // A debt goes with the lease that it is on.
        const left = out - settled - unresolved + over;
        findings.must(
          held <= left,
          'chain',
          () => `${counter} ${windowId}: ${String(held)} in hands, ${String(left)} of its blocks is left`,
        );
      }
    },
  };
};

/** Sums by counter and window, without what is of no window. */
interface Amounts {
  add(counter: string, windowId: string, amount: bigint): void;
  of(counter: string, windowId: string): bigint;
  addTo(other: Amounts): void;
}

const makeAmounts = (): Amounts => {
  const counters = new Map<string, Map<string, bigint>>();
  return {
    add: (counter, windowId, amount) => {
      if (windowId === '' || amount === 0n) return;
      let windows = counters.get(counter);
      if (!windows) counters.set(counter, (windows = new Map()));
      windows.set(windowId, (windows.get(windowId) ?? 0n) + amount);
    },
    of: (counter, windowId) => counters.get(counter)?.get(windowId) ?? 0n,
    addTo: (other) => {
      for (const [counter, windows] of counters)
        for (const [windowId, amount] of windows) other.add(counter, windowId, amount);
    },
  };
};
