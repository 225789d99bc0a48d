/** At the end, when everybody has gone home: every bill has its event, and every amount that was granted has its place. */
import { counterKey, type CounterName } from '../counter.ts';
import type { LedgerEvent } from '../event.ts';
import type { CounterTally } from '../pool/tally.ts';
import type { Findings } from './findings.ts';
import { eventKey } from './postgres.ts';
import type { Billed } from './provider.ts';

export interface Ending {
  readonly findings: Findings;
  readonly billed: readonly Billed[];
  /** By `eventKey`. */
  readonly events: ReadonlyMap<string, LedgerEvent>;
  readonly tallies: readonly CounterTally[];
  /** Epochs that still wait for someone to close them. */
  readonly unclosed: readonly string[];
  /** What unsound holds went beyond theirs in a window: a debt until its epoch is closed. */
  readonly over: (counter: string, windowId: string) => bigint;
  /** Instances whose spool was lost with its node. */
  readonly lost: ReadonlySet<string>;
}

export const checkEnd = (ending: Ending): void => {
  const { findings, billed, lost } = ending;
  const ids = new Set(billed.map(eventKey));
  findings.must(ids.size === billed.length, 'events', () => 'one id stood for two attempts');
  for (const entry of billed) checkEvent(ending, entry);
  const unheard = sumsOf(billed.filter((entry) => lost.has(entry.instance) && !ending.events.has(eventKey(entry))));
  checkSums(ending, unheard);
};

const checkEvent = ({ findings, events, lost }: Ending, { instance, seq, cost, counters }: Billed): void => {
  const id = `${instance} ${String(seq)}`;
  const event = events.get(eventKey({ instance, seq }));
  if (!event) {
    findings.must(lost.has(instance), 'events', () => `${id}: billed ${String(cost)} and never charged`);
    return;
  }
  // One that died with its proxy is charged its hold, which an unsound one is above.
  const most = (used: bigint, held: bigint): bigint => (event.settle === 'interrupted' && used > held ? held : used);
  const due = most(cost, event.held);
  findings.must(event.charged >= due, 'events', () => `${id}: billed ${String(due)}, charged ${String(event.charged)}`);
  counters.forEach((counter, at) => {
    const charge = event.counters[at];
    const least = most(counter.used, counter.bound);
    findings.must(
      charge !== undefined && charge.charged >= least,
      'events',
      () => `${id}: ${counter.limit} used ${String(least)}, charged ${String(charge?.charged)}`,
    );
    findings.must(
      charge?.windowId === counter.windowId,
      'events',
      () => `${id}: ${counter.limit} held in ${counter.windowId}, charged to ${String(charge?.windowId)}`,
    );
  });
};

/** Every epoch is closed: nothing is in anybody's hands, and the sums of the events are the sums of the counters. */
const checkSums = (
  { findings, events, tallies, unclosed, over, lost }: Ending,
  unheard: ReadonlyMap<string, bigint>,
): void => {
  const charged = new Map<string, bigint>();
  for (const event of events.values())
    for (const each of event.counters) addTo(charged, each, each.windowId, each.charged);
  for (const tally of tallies) {
    const { windowId, allocated, settled, refunded, unresolved } = tally;
    const key = keyOf(tally, windowId);
    const rest = allocated - settled - refunded - unresolved;
    // What a lost node took stays out of the counter: at least what it was billed without a word to us.
    const debt = over(counterKey(tally), windowId);
    const isRight = lost.size === 0 ? rest === 0n : rest + unresolved + debt >= (unheard.get(key) ?? 0n);
    findings.must(
      isRight,
      'conservation',
      () =>
        `${key}: allocated ${String(allocated)} ≠ settled ${String(settled)} + refunded ${String(refunded)} + unresolved ${String(unresolved)}`,
    );
    const sum = charged.get(key) ?? 0n;
    findings.must(
      sum === settled,
      'conservation',
      () => `${key}: events sum to ${String(sum)}, the counter says ${String(settled)}`,
    );
  }
  // Also where nothing was leased: one that is never closed would keep what the next server life leases within it.
  findings.must(
    unclosed.length === 0 || lost.size > 0,
    'conservation',
    () => `stranded for ever: ${unclosed.join(', ')}`,
  );
};

const sumsOf = (entries: readonly Billed[]): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>();
  for (const { counters } of entries) for (const each of counters) addTo(sums, each, each.windowId, each.used);
  return sums;
};

const addTo = (sums: Map<string, bigint>, name: CounterName, windowId: string, amount: bigint): void => {
  const key = keyOf(name, windowId);
  sums.set(key, (sums.get(key) ?? 0n) + amount);
};

const keyOf = (name: CounterName, windowId: string): string => `${counterKey(name)} ${windowId}`;
