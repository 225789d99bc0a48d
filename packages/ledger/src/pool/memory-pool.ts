import { grantedLease } from '@tollgate/budget';
import { counterKey, type CounterName } from '../counter.ts';
import {
  LedgerUnavailable,
  type AcquireRequest,
  type AcquireResult,
  type GiveBackRequest,
  type Grant,
  type Need,
} from '../lease-port.ts';
import { ANY_EPOCH } from '../session.ts';
import { makeAsyncLock } from './async-lock.ts';
import type { BlockAnswer, BlockSource, ChargedInEpoch, ResolveCounter } from './block-source.ts';
import { checkNeeds, checkReturns } from './lease-request-checks.ts';
import { LedgerRequestError } from './ledger-request-error.ts';
import { handOf, leased, makePoolCounter, outstanding, windowKey, type PoolCounter } from './pool-counter.ts';
import type { Pool } from './pool.ts';
import { makeRememberedReplies } from './remembered-replies.ts';

/**
 * The server's own pool, in memory: leases out of blocks that its source has written down as gone. Everything that
 * moves money runs one after another under one lock, so that an acquisition over several counters is all or none.
 * Losing the process loses nothing but the use of what was in it: the next life opens a new epoch.
 */
export interface MemoryPoolDeps {
  readonly source: BlockSource;
  readonly resolve: ResolveCounter;
  /** The ledger's clock: milliseconds since 1970, UTC. */
  readonly clock: () => number;
  readonly liveProxies: () => number;
  /** Replies kept an instance, for retries. */
  readonly remember?: number;
}

interface Line extends Need {
  readonly counter: PoolCounter;
}

type NoBlock = Exclude<BlockAnswer, { kind: 'block' }>;
type Granted = Extract<AcquireResult, { granted: true }>;

export const makeMemoryPool = async (deps: MemoryPoolDeps): Promise<Pool> => {
  const { source, resolve, clock, liveProxies, remember = 1_024 } = deps;
  const lock = makeAsyncLock();
  const granted = makeRememberedReplies<Granted>(remember);
  const givenBack = makeRememberedReplies<true>(remember);
  const counters = new Map<string, PoolCounter>();
  const joined = new Set<string>();
  let epoch = await source.openEpoch();
  let leases = 0;
  let stopped = false;

  const join = async (instance: string): Promise<void> => {
    while (!joined.has(instance)) {
      const answer = await source.join(epoch, instance);
      if (answer === 'unknown') {
        throw new LedgerRequestError(
          'unknown_instance',
          'this instance is not registered, or has closed: say hello first',
        );
      }
      if (answer === 'sealed') await startNextEpoch();
      else joined.add(instance);
    }
  };

  /** The old life's money comes back when every instance that joined it has closed it. */
  const startNextEpoch = async (): Promise<void> => {
    epoch = await source.openEpoch();
    counters.clear();
    joined.clear();
  };

  const acquire = async (request: AcquireRequest): Promise<AcquireResult> => {
    checkNeeds(request.needs);
    const asked = request.needs.map((need) => `${counterKey(need)}=${String(need.need)}`).join('\n');
    const before = granted.find(request.instance, request.seq, asked);
    if (before) return before;
    if (stopped) throw new LedgerUnavailable('this pool has stopped: its successor takes over');
    for (;;) {
      await join(request.instance);
      const answer = await tryAcquire(request);
      if (answer === 'again') continue;
      if (answer.granted) granted.keep(request.instance, request.seq, asked, answer);
      return answer;
    }
  };

  const tryAcquire = async (request: AcquireRequest): Promise<AcquireResult | 'again'> => {
    const lines: Line[] = [];
    for (const need of request.needs) lines.push({ ...need, counter: await counterFor(need) });
    for (const line of lines) {
      const no = await fill(line);
      if (no?.kind === 'sealed') {
        await startNextEpoch();
        return 'again';
      }
      if (no) return denied(line, no, clock());
    }
    // The source may have taken its time: a window that ended meanwhile is not leased from.
    if (lines.some((line) => resolve(line)?.window.id !== line.counter.terms.window.id)) return 'again';
    // No await from here on: all lines or none.
    const proxies = liveProxies();
    const grants = lines.map(({ counter, need, prefer }) =>
      grant(request.instance, counter, grantedLease({ need, prefer }, { pool: counter.balance, liveProxies: proxies })),
    );
    return { granted: true, grants };
  };

  /** The counter in its present window and terms. A limit that was changed starts from an empty pool. */
  const counterFor = async (name: CounterName): Promise<PoolCounter> => {
    const terms = resolve(name);
    if (!terms) throw new LedgerRequestError('unknown_counter', `no budget in force names ${counterKey(name)}`);
    const key = windowKey(terms, terms.window.id);
    const counter = counters.get(key) ?? makePoolCounter(terms);
    counters.set(key, counter);
    if (counter.terms.max !== terms.max) await emptyOut([counter]);
    counter.terms = terms;
    return counter;
  };

  /** Asks the source for what the pool lacks; null when it lacks nothing. */
  const fill = async ({ counter, need }: Line): Promise<NoBlock | null> => {
    if (counter.balance >= need) return null;
    const answer = await source.allocate({ epoch, terms: counter.terms, need, short: need - counter.balance });
    if (answer.kind !== 'block') return answer;
    counter.balance += answer.amount;
    counter.free = answer.free;
    return null;
  };

  const grant = (instance: string, counter: PoolCounter, amount: bigint): Grant => {
    const { budget, limit, partition, window } = counter.terms;
    counter.balance -= amount;
    handOf(counter, instance).given += amount;
    leases += 1;
    return {
      budget,
      limit,
      partition,
      leaseId: `${epoch}.${String(leases)}`,
      epoch,
      window,
      remainingMs: window.end === null ? null : Math.max(0, window.end - clock()),
      amount,
      left: atLeastZero(counter.free + counter.balance),
    };
  };

  const giveBack = async ({ instance, seq, returns }: GiveBackRequest): Promise<void> => {
    checkReturns(returns);
    const asked = returns.map((back) => `${back.leaseId}=${String(back.amount)}`).join('\n');
    if (givenBack.find(instance, seq, asked)) return;
    // What comes from an earlier epoch returns when that epoch is closed: there is no pool to put it in.
    const ours = returns.filter((back) => back.epoch === epoch);
    checkInHand(instance, ours);
    for (const back of ours) {
      const counter = counters.get(windowKey(back, back.windowId));
      if (!counter) continue;
      handOf(counter, instance).given -= back.amount;
      counter.balance += back.amount;
    }
    givenBack.keep(instance, seq, asked, true);
    await refundPast();
  };

  const checkInHand = (instance: string, returns: GiveBackRequest['returns']): void => {
    const wanted = new Map<string, bigint>();
    for (const back of returns) {
      const key = windowKey(back, back.windowId);
      const sum = (wanted.get(key) ?? 0n) + back.amount;
      wanted.set(key, sum);
      if (sum <= outstanding(counters.get(key)?.hands.get(instance))) continue;
      throw new LedgerRequestError('give_back_exceeds', `more of ${counterKey(back)} is given back than is in hand`);
    }
  };

  const close = async (
    instance: string,
    closing: string,
    leave: () => Promise<readonly ChargedInEpoch[]>,
  ): Promise<void> => {
    const spent = await leave();
    if (closing !== epoch && closing !== ANY_EPOCH) return;
    const spentHere = spent.filter((sum) => sum.epoch === epoch);
    const spentOf = new Map(spentHere.map((sum) => [windowKey(sum, sum.windowId), sum.amount]));
    for (const [key, counter] of counters) {
      const hand = counter.hands.get(instance);
      if (!hand) continue;
      counter.hands.delete(instance);
      counter.balance += hand.given - (spentOf.get(key) ?? 0n);
    }
    joined.delete(instance);
    granted.forget(instance);
    givenBack.forget(instance);
    await refundPast();
  };

  /** Windows that ended keep no balance, and are forgotten when nobody has anything of them in hand. */
  const refundPast = async (): Promise<void> => {
    const past = [...counters].filter(([, { terms }]) => resolve(terms)?.window.id !== terms.window.id);
    await emptyOut(past.map(([, counter]) => counter));
    for (const [key, counter] of past) {
      const idle = counter.balance === 0n && [...counter.hands.values()].every((hand) => outstanding(hand) === 0n);
      if (idle) counters.delete(key);
    }
  };

  const emptyOut = async (list: readonly PoolCounter[]): Promise<void> => {
    const full = list.filter(({ balance }) => balance > 0n);
    if (full.length === 0) return;
    const returns = full.map(({ terms, balance }) => ({
      ...nameOf(terms),
      windowId: terms.window.id,
      amount: balance,
    }));
    // Out of the pool first: should the source's answer be lost, money is stranded until the epoch closes, not doubled.
    for (const counter of full) counter.balance = 0n;
    await source.refund(epoch, returns);
    full.forEach((counter, at) => {
      counter.free += returns[at]?.amount ?? 0n;
    });
  };

  return {
    epoch: () => epoch,
    join: (instance) => lock(() => join(instance)),
    acquire: (request) => lock(() => acquire(request)),
    giveBack: (request) => lock(() => giveBack(request)),
    settled: (charges) => {
      for (const charge of charges) {
        const hand =
          charge.epoch === epoch && counters.get(windowKey(charge, charge.windowId))?.hands.get(charge.instance);
        if (hand) hand.settled += charge.charged;
      }
    },
    close: (instance, closing, leave) => lock(() => close(instance, closing, leave)),
    balances: () =>
      [...counters.values()].map((counter) => ({
        ...nameOf(counter.terms),
        windowId: counter.terms.window.id,
        pooled: counter.balance,
        leased: leased(counter),
      })),
    tend: () => lock(refundPast),
    stop: () =>
      lock(async () => {
        stopped = true;
        await emptyOut([...counters.values()]);
      }),
  };
};

const nameOf = ({ budget, limit, partition }: CounterName): CounterName => ({ budget, limit, partition });

const denied = (line: Line, no: NoBlock, now: number): AcquireResult => {
  if (no.kind === 'sealed') throw new Error('a sealed epoch is no refusal');
  const { max, window } = line.counter.terms;
  return {
    granted: false,
    reason: no.reason,
    counter: nameOf(line),
    need: line.need,
    limit: max,
    left: atLeastZero(max - no.spent),
    resetMs: window.end === null ? null : Math.max(0, window.end - now),
  };
};

const atLeastZero = (amount: bigint): bigint => (amount < 0n ? 0n : amount);
