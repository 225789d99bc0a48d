/**
 * Nothing is counted twice: pools, hands, open holds and what is settled and on its way are within what the blocks
 * brought, and the blocks within their limit.
 */
import { counterKey, type CounterName } from '../counter.ts';
import type { LedgerEvent } from '../event.ts';
import { parseCounterKey } from '../pool/counter-key.ts';
import type { StateBalance } from '../pool/pool-state.ts';
import { outOf, type CounterTally } from '../pool/tally.ts';
import type { Findings } from './findings.ts';
import type { RunningLife } from './proxy.ts';
import type { SpendWatch } from './spend-watch.ts';

export interface ChainCheck {
  /** An event was settled at its proxy; it is on its way until it is committed. */
  settled(event: LedgerEvent): void;
  committed(events: readonly LedgerEvent[]): void;
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

  const known = (): ReadonlyMap<string, bigint> => {
    const sums = new Map<string, bigint>();
    const add = (name: CounterName, windowId: string, amount: bigint): void => {
      if (windowId === '') return;
      const key = `${counterKey(name)} ${windowId}`;
      sums.set(key, (sums.get(key) ?? 0n) + amount);
    };
    for (const { key, pooled } of balances()) {
      const name = parseCounterKey(key);
      add(name, name.windowId, pooled);
    }
    for (const { escrow, spool } of running()) {
      for (const lease of escrow.inHand()) add(lease, lease.windowId, lease.free + lease.held);
      for (const instance of spool.lives.keys()) {
        for (const { counters } of onTheWay.get(instance)?.values() ?? []) {
          for (const counter of counters) add(counter, counter.windowId, counter.charged);
        }
      }
    }
    return sums;
  };

  return {
    settled: (event) => {
      if (isCommitted(event)) return;
      const events = onTheWay.get(event.instance) ?? new Map<number, LedgerEvent>();
      onTheWay.set(event.instance, events);
      events.set(event.seq, event);
    },
    committed: (events) => {
      for (const { instance, seq } of events) onTheWay.get(instance)?.delete(seq);
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
        const held = inHands.get(`${counter} ${windowId}`) ?? 0n;
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
