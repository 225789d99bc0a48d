/** What must hold, at every moment and at the end. */
import { counterKey, type CounterName } from '../counter.ts';
import { largestSlidingSum } from '../pool/sliding-sum.ts';
import type { CounterTerms } from '../pool/block-source.ts';
import { openEvent } from '../wire/sealed-event.ts';
import type { Provider } from './provider.ts';
import type { RunningLife } from './proxy.ts';
import { eventKey, type SimulatedServer } from './server.ts';

export class OracleViolation extends Error {
  readonly code = 'oracle_violation';
}

export interface OracleDeps {
  readonly server: SimulatedServer;
  readonly provider: Provider;
  readonly limits: readonly SimulatedLimit[];
  readonly running: () => readonly RunningLife[];
}

export interface SimulatedLimit extends Pick<
  CounterTerms,
  'budget' | 'limit' | 'partition' | 'unit' | 'max' | 'sliding'
> {
  readonly windowMs: number | null;
}

export interface Oracle {
  now(): void;
  atEnd(): void;
}

export const makeOracle = ({ server, provider, limits, running }: OracleDeps): Oracle => {
  const must = (holds: boolean, claim: string): void => {
    if (!holds) throw new OracleViolation(claim);
  };
  const windowKey = (name: CounterName, windowId: string): string => `${counterKey(name)} ${windowId}`;

  /** What was really spent, by window of the hold; per limit, over any run of buckets where it slides. */
  const checkSpend = (): void => {
    for (const limit of limits) {
      const spent = new Map<string, bigint>();
      let over = 0n;
      for (const { cost, counters } of provider.billed) {
        const counter = counters.find((each) => each.limit === limit.limit && each.budget === limit.budget);
        if (!counter || counter.windowId === '') continue;
        const used = limit.unit === 'requests' ? (cost === 0n ? 0n : 1n) : cost;
        spent.set(counter.windowId, (spent.get(counter.windowId) ?? 0n) + used);
        if (used > counter.held) over += used - counter.held;
      }
      for (const [windowId, sum] of sums(limit, spent)) {
        must(sum <= limit.max + over, `${limit.limit}: spent ${String(sum)} of ${String(limit.max)} in ${windowId}`);
      }
    }
  };

  const sums = ({ sliding }: SimulatedLimit, spent: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> => {
    if (!sliding) return spent;
    const buckets = [...spent].map(([id, amount]) => ({ start: Number.parseInt(id, 10), amount }));
    return new Map([...spent.keys()].map((id) => [id, largestSlidingSum(buckets, Number.parseInt(id, 10), sliding)]));
  };

  /** Nothing is counted twice: pool, hands, open holds and what is on its way are within what the blocks brought. */
  const checkChain = (): void => {
    const taken = new Map<string, bigint>();
    const add = (name: CounterName, windowId: string, amount: bigint): void => {
      const key = windowKey(name, windowId);
      taken.set(key, (taken.get(key) ?? 0n) + amount);
    };
    for (const balance of server.pool()?.balances() ?? []) add(balance, balance.windowId, balance.pooled);
    for (const { escrow, spool } of running()) {
      for (const lease of escrow.inHand()) add(lease, lease.windowId, lease.free + lease.held);
      for (const life of spool.lives.values()) {
        for (const event of spool.sealed([...life.unacked.values()]).map(openEvent)) {
          if (server.events.has(eventKey(event))) continue;
          for (const counter of event.counters)
            if (counter.windowId !== '') add(counter, counter.windowId, counter.charged);
        }
      }
    }
    const overs = overdrawn();
    for (const tally of server.source.tallies()) {
      const over = overs.get(windowKey(tally, tally.windowId)) ?? 0n;
      const rest = tally.allocated - tally.refunded - tally.settled - tally.unresolved;
      const known = taken.get(windowKey(tally, tally.windowId)) ?? 0n;
      must(
        known <= rest + over,
        `${tally.limit} ${tally.windowId}: ${String(known)} in hands, ${String(rest)} out of the counter`,
      );
      const limit = limitOf(tally);
      must(
        limit === undefined || tally.allocated - tally.refunded <= limit.max + over,
        `${tally.limit}: more out than its limit`,
      );
    }
  };

  /** What holds that were too small let be spent beyond them, by window: the only term that may add to a limit. */
  const overdrawn = (): ReadonlyMap<string, bigint> => {
    const over = new Map<string, bigint>();
    for (const { cost, counters } of provider.billed) {
      for (const counter of counters) {
        if (counter.windowId === '' || isCalls(counter) || cost <= counter.held) continue;
        const key = windowKey(counter, counter.windowId);
        over.set(key, (over.get(key) ?? 0n) + cost - counter.held);
      }
    }
    return over;
  };

  const isCalls = (name: CounterName): boolean => limitOf(name)?.unit === 'requests';
  const limitOf = (name: CounterName): SimulatedLimit | undefined =>
    limits.find((limit) => limit.limit === name.limit && limit.budget === name.budget);

  const checkEvents = (): void => {
    for (const { instance, seq, cost: billed } of provider.billed) {
      const event = server.events.get(eventKey({ instance, seq }));
      if (!event) throw new OracleViolation(`${instance} ${String(seq)}: billed ${String(billed)} and never charged`);
      // One that died with its proxy is charged its hold, which an unsound one is above.
      const cost = event.settle === 'interrupted' && billed > event.held ? event.held : billed;
      must(
        event.charged >= cost,
        `${instance} ${String(seq)}: billed ${String(cost)}, charged ${String(event.charged)}`,
      );
      for (const counter of event.counters) {
        if (!isCalls(counter))
          must(counter.charged >= cost, `${instance} ${String(seq)}: ${counter.limit} charged too little`);
      }
    }
    must(new Set(provider.billed.map(eventKey)).size === provider.billed.length, 'one id stood for two attempts');
  };

  /** Every epoch is closed: nothing is in anybody's hands, and the sums of the events are the sums of the counters. */
  const checkClosed = (): void => {
    const charged = new Map<string, bigint>();
    for (const event of server.events.values()) {
      for (const counter of event.counters) {
        const key = windowKey(counter, counter.windowId);
        charged.set(key, (charged.get(key) ?? 0n) + counter.charged);
      }
    }
    for (const tally of server.source.tallies()) {
      const { limit, windowId, allocated, settled, refunded, unresolved } = tally;
      must(
        allocated === settled + refunded + unresolved,
        `${limit} ${windowId}: allocated ${String(allocated)} ≠ settled ${String(settled)} + refunded ${String(refunded)} + unresolved ${String(unresolved)}`,
      );
      const sum = charged.get(windowKey(tally, windowId)) ?? 0n;
      must(sum === settled, `${limit} ${windowId}: events sum to ${String(sum)}, the counter says ${String(settled)}`);
    }
    // Also where nothing was leased: one that is never closed would keep what the next server life leases within it.
    const stranded = server.source.unclosed();
    must(stranded.length === 0, `stranded for ever: ${stranded.join(', ')}`);
  };

  return {
    now: () => {
      checkSpend();
      checkChain();
    },
    atEnd: () => {
      checkSpend();
      checkEvents();
      checkClosed();
    },
  };
};
