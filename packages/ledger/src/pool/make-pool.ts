import { counterKey, type CounterName } from '../counter.ts';
import { LedgerUnavailable, type AcquireRequest, type AcquireResult, type GiveBackRequest } from '../lease-port.ts';
import { ANY_EPOCH } from '../session.ts';
import { makeBlockKeeper, type NoBlock } from './block-keeper.ts';
import type { BlockSource, ChargedInEpoch, CounterTerms, JoinAnswer, ResolveCounter } from './block-source.ts';
import { counterKeyOf, parseCounterKey } from './counter-key.ts';
import { makeDrainer } from './drainer.ts';
import { denied, grantsOf, nameOf } from './lease-answers.ts';
import { checkNeeds, checkReturns } from './lease-request-checks.ts';
import { LedgerRequestError } from './ledger-request-error.ts';
import { joinSharedEpochs, openPrivateEpochs } from './pool-epochs.ts';
import type { CounterKey, LeaseAnswer, PoolEpoch, PoolState } from './pool-state.ts';
import type { Pool } from './pool.ts';

/**
 * The rules of a pool, over whatever holds its balances: leases out of blocks that the source has written down as gone.
 * The state decides each step as one; between steps anything may happen, also through other servers of the same pool,
 * so that every answer says what to do next, and a question is asked again until one is final.
 */
export interface MakePoolDeps {
  readonly state: PoolState;
  readonly source: BlockSource;
  /** By the ledger's clock: where the state has a time of its own, by that (`ledger-clock.ts`). */
  readonly resolve: ResolveCounter;
  /** Milliseconds since 1970, UTC, of this process: paces what is tried again. */
  readonly clock: () => number;
  /** The proxies that this server sees. */
  readonly liveProxies: () => number;
  /** The pool is shared by all servers that use this state and source; `server` names this life of this process, and no other. */
  readonly sharedAs?: string;
  /** Less of this counter may be leased than before: ask for what is idle. */
  readonly onLowered?: (counter: CounterName) => void;
  /** Work in the background that failed, and will be tried again. */
  readonly onFault?: (fault: unknown, doing: string) => void;
}

interface Line {
  readonly key: CounterKey;
  readonly terms: CounterTerms;
  readonly need: bigint;
  readonly prefer: bigint;
}

/** `wait`: go on under this counter's lock, since another call may be filling it right now. */
type Outcome =
  | { readonly kind: 'answer'; readonly result: AcquireResult }
  | { readonly kind: 'wait'; readonly key: CounterKey; readonly after: LeaseAnswer; readonly moment: number };

/** Each turn something changed under us; a pool that changes this often does not answer. */
const MOST_TURNS = 200;
const MOST_BROUGHT_HOME = 10_000;

/** The source's no to a line that was so much short. */
interface Refused {
  readonly key: CounterKey;
  readonly short: bigint;
  readonly no: NoBlock;
}

export const makePool = async (deps: MakePoolDeps): Promise<Pool> => {
  const { state, source, resolve, clock, liveProxies, sharedAs, onLowered, onFault = () => undefined } = deps;
  const epochs = await (sharedAs === undefined
    ? openPrivateEpochs({ state, source })
    : joinSharedEpochs({ state, source }, sharedAs));
  const keeper = makeBlockKeeper({ state, source, clock, onFault });
  let drains = 0;
  const drainer = makeDrainer({
    state,
    source,
    resolve,
    newId: () => `${sharedAs ?? epochs.now().id}.${String((drains += 1))}`,
  });
  const working = new Set<Promise<unknown>>();
  const broughtHome = new Set<CounterKey>();
  let proxiesElsewhere = 0;
  let stopped = false;

  /** Counts as work until it ends, so that a stop can wait for it. */
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    const run = work();
    working.add(run);
    try {
      return await run;
    } finally {
      working.delete(run);
    }
  };

  const mustRun = (): void => {
    if (stopped) throw new LedgerUnavailable('this pool has stopped: its successor takes over');
  };

  const lineOf = (need: AcquireRequest['needs'][number]): Line => {
    const terms = resolve(need);
    if (!terms) throw new LedgerRequestError('unknown_counter', `no budget in force names ${counterKey(need)}`);
    return { key: counterKeyOf(need, terms.window.id), terms, need: need.need, prefer: need.prefer };
  };

  const acquire = async (request: AcquireRequest): Promise<AcquireResult> => {
    checkNeeds(request.needs);
    const asked = request.needs.map((need) => `${counterKey(need)}=${String(need.need)}`).join('\n');
    let outcome = await tryAcquire(request, asked, null);
    while (outcome.kind === 'wait') {
      const { key, after, moment } = outcome;
      outcome = await keeper.locks.run(key, (waited) =>
        tryAcquire(request, asked, { key, moment, after: waited ? null : after }),
      );
    }
    return outcome.result;
  };

  const tryAcquire = async (
    request: AcquireRequest,
    asked: string,
    under: { readonly key: CounterKey; readonly after: LeaseAnswer | null; readonly moment: number } | null,
  ): Promise<Outcome> => {
    let known = under?.after ?? null;
    const told = under && !known ? toldMeanwhile(request, under.key, under.moment) : null;
    if (told) return { kind: 'answer', result: told };
    let refused: Refused | undefined;
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      mustRun();
      const epoch = epochs.now();
      const lines = request.needs.map(lineOf);
      const answer = known ?? (await state.lease(epoch, toLeaseRequest(request, asked, lines)));
      known = null;
      switch (answer.kind) {
        case 'granted':
          lines.forEach(({ terms }, at) => {
            const balance = answer.balances?.[at];
            if (balance && balance.pooled * 2n < balance.block) keeper.prefetch(epoch, terms);
          });
          return { kind: 'answer', result: grantsOf(request, epoch, answer) };
        case 'short': {
          const line = shortLine(lines, answer.pooled);
          if (under?.key !== line.key) return { kind: 'wait', key: line.key, after: answer, moment: keeper.asked() };
          // As short as before: what the source said then was true.
          if (refused?.key === line.key && line.short >= refused.short)
            return { kind: 'answer', result: denied(line, refused.no, answer.now) };
          const no = await keeper.fill(epoch, line);
          if (no === 'epoch') await epochs.renew(epoch);
          else if (no && !(await bringBucketsHome(epoch, line, no))) {
            if (no.reason !== 'held' || sharedAs === undefined)
              return { kind: 'answer', result: denied(line, no, answer.now) };
            // Another server may have loaded what was left between the state's word and the source's: look once more.
            refused = { key: line.key, short: line.short, no };
          }
          break;
        }
        case 'lowered':
          await lower(
            epoch,
            answer.lines.flatMap((at) => lines[at] ?? []),
          );
          break;
        case 'stranger':
          await letIn(epoch, request.instance, answer.closes);
          break;
        case 'epoch':
          await epochs.renew(epoch);
          break;
        case 'window':
          break;
        default:
          throw seqFault(answer.kind, request.seq);
      }
    }
    throw new LedgerUnavailable('the pool changed faster than it could be asked');
  };

  /** What another call was told of this counter after this one had been found short of it. */
  const toldMeanwhile = (request: AcquireRequest, key: CounterKey, moment: number): AcquireResult | null => {
    const line = request.needs.map(lineOf).find((each) => each.key === key);
    const no = line && keeper.refusedSince(moment, epochs.now(), line);
    return no ? denied(line, no, clock()) : null;
  };

  const toLeaseRequest = ({ instance, seq }: AcquireRequest, asked: string, lines: readonly Line[]) => ({
    instance,
    seq,
    asked,
    liveProxies: liveProxies() + proxiesElsewhere,
    lines: lines.map(({ key, terms: { window, max }, need, prefer }) => ({ key, window, max, need, prefer })),
  });

  /**
   * A sliding limit counts what earlier buckets left in the pool. Nothing more is loaded there once a bucket is over, so
   * its first refusal is the one moment to bring it home. False: that was done.
   */
  const bringBucketsHome = async (epoch: PoolEpoch, { key, terms }: Line, { reason }: NoBlock): Promise<boolean> => {
    if (!terms.sliding || reason !== 'held' || broughtHome.has(key)) return false;
    if (broughtHome.size >= MOST_BROUGHT_HOME) broughtHome.clear();
    broughtHome.add(key);
    await drainOrRenew(epoch, () => drainer.drainPast(epoch));
    return true;
  };

  /** What was filled under a higher limit goes back; the next block is taken under the one in force. */
  const lower = async (epoch: PoolEpoch, lines: readonly Line[]): Promise<void> => {
    const drained = await drainer.drain(
      epoch,
      lines.map(({ key, terms }) => ({ key, max: terms.max })),
    );
    if (drained === 'epoch') await epochs.renew(epoch);
    else for (const { terms } of lines) onLowered?.(nameOf(terms));
  };

  type Enter = (epoch: string) => Promise<JoinAnswer>;

  /** Writes the instance down as one that may lease in this epoch; false where that is over. */
  const writeDown = async (epoch: PoolEpoch, enter: Enter): Promise<boolean> => {
    const answer = await enter(epoch.id);
    if (answer === 'joined') return true;
    if (answer === 'unknown') {
      throw new LedgerRequestError(
        'unknown_instance',
        'this instance is not registered, or has closed: say hello first',
      );
    }
    await epochs.renew(epoch);
    return false;
  };

  /** At the source first, and then in the state, from which it may lease at once. */
  const letIn = async (
    epoch: PoolEpoch,
    instance: string,
    closes: number,
    enter: Enter = (id) => source.join(id, instance),
  ): Promise<boolean> => {
    if (!(await writeDown(epoch, enter))) return false;
    if ((await state.admit(epoch, instance, closes)).kind === 'epoch') await epochs.renew(epoch);
    return true;
  };

  /** The state is asked first: the source is not to wait for anybody in an epoch that is over. */
  const join = async (instance: string, enter?: Enter): Promise<void> => {
    let isWritten = enter === undefined;
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const epoch = epochs.now();
      const answer = await state.admit(epoch, instance, null);
      if (answer.kind === 'admitted') {
        if (isWritten || enter === undefined || (await writeDown(epoch, enter))) return;
      } else if (answer.kind === 'epoch') await epochs.renew(epoch);
      else isWritten = await letIn(epoch, instance, answer.closes, enter);
    }
    throw new LedgerUnavailable('the pool changed faster than it could be asked');
  };

  const giveBack = async ({ instance, seq, returns }: GiveBackRequest): Promise<void> => {
    checkReturns(returns);
    const asked = returns.map((back) => `${back.leaseId}=${String(back.amount)}`).join('\n');
    const epoch = epochs.now();
    // What comes from an earlier epoch returns when that epoch is closed: there is no pool to put it in.
    const ours = returns.filter((back) => back.epoch === epoch.id);
    const lines = ours.map((back) => ({ key: counterKeyOf(back, back.windowId), amount: back.amount }));
    const answer = await state.giveBack(epoch, { instance, seq, asked, returns: lines });
    switch (answer.kind) {
      case 'returned':
        await drainOver(epoch, [...new Set(lines.map(({ key }) => key))]);
        return;
      case 'exceeds': {
        const line = ours[answer.line];
        const name = line ? counterKey(line) : 'a counter';
        throw new LedgerRequestError('give_back_exceeds', `more of ${name} is given back than is in hand`);
      }
      case 'epoch':
        await epochs.renew(epoch);
        return;
      default:
        throw seqFault(answer.kind, seq);
    }
  };

  /** What came back of windows that are over goes home at once. */
  const drainOver = async (epoch: PoolEpoch, keys: readonly CounterKey[]): Promise<void> => {
    const over = keys.filter((key) => {
      const name = parseCounterKey(key);
      return resolve(name)?.window.id !== name.windowId;
    });
    try {
      await drainer.drain(
        epoch,
        over.map((key) => ({ key, max: null })),
      );
    } catch (fault) {
      onFault(fault, 'refund what a past window left');
    }
  };

  const close = async (
    instance: string,
    closing: string,
    leave: () => Promise<readonly ChargedInEpoch[]>,
  ): Promise<void> => {
    const spent = await leave();
    const epoch = epochs.now();
    if (closing !== epoch.id && closing !== ANY_EPOCH) return;
    const here = spent
      .filter((sum) => sum.epoch === epoch.id)
      .map((sum) => ({ key: counterKeyOf(sum, sum.windowId), amount: sum.amount }));
    if ((await state.close(epoch, instance, here)) === 'epoch') await epochs.renew(epoch);
  };

  const drainOrRenew = async (epoch: PoolEpoch, drain: () => Promise<'drained' | 'epoch'>): Promise<void> => {
    if ((await drain()) === 'epoch') await epochs.renew(epoch);
  };

  const tend = async (): Promise<void> => {
    if (sharedAs !== undefined) {
      const mine = liveProxies();
      proxiesElsewhere = Math.max(0, (await state.beat(sharedAs, mine)) - mine);
    }
    await epochs.tend((epoch) => drainOrRenew(epoch, () => drainer.drainAll(epoch)));
    const epoch = epochs.now();
    await drainOrRenew(epoch, () => drainer.drainPast(epoch));
    if (sharedAs !== undefined) await keeper.loadLeftOvers(epochs.now());
  };

  const moveOn = async (): Promise<void> => {
    const epoch = epochs.now();
    // A block that arrives after the draining would stay out until the epoch closes.
    await keeper.idle();
    await drainOrRenew(epoch, () => drainer.drainAll(epoch));
    await epochs.renew(epoch);
  };

  return {
    epoch: () => epochs.now().id,
    join: (instance, enter) => during(() => join(instance, enter)),
    acquire: (request) => during(() => acquire(request)),
    giveBack: (request) => during(() => giveBack(request)),
    settled: async (charges) => {
      const epoch = epochs.now();
      const here = charges
        .filter((charge) => charge.epoch === epoch.id)
        .map(({ instance, charged, ...name }) => ({ instance, key: counterKeyOf(name, name.windowId), charged }));
      if (here.length === 0) return;
      await during(() => state.settled(epoch, here)).catch((fault: unknown) => {
        onFault(fault, 'tell the pool what was charged');
      });
    },
    close: (instance, closing, leave) => during(() => close(instance, closing, leave)),
    balances: async () => {
      try {
        const all = await drainer.balances(epochs.now());
        return all.map(({ key, pooled, leased }) => ({ ...parseCounterKey(key), pooled, leased }));
      } catch (fault) {
        onFault(fault, 'read the balances of the pool');
        return [];
      }
    },
    tend: () => during(tend),
    moveOn: () => during(moveOn),
    stop: async () => {
      stopped = true;
      await Promise.allSettled([...working, keeper.idle()]);
      if (sharedAs === undefined) await drainer.drainAll(epochs.now());
      else await Promise.allSettled([epochs.stop(), state.leave(sharedAs)]);
    },
  };
};

const shortLine = (lines: readonly Line[], pooled: readonly bigint[]): Line & { readonly short: bigint } => {
  for (const [at, line] of lines.entries()) {
    const short = line.need - (pooled[at] ?? 0n);
    if (short > 0n) return { ...line, short };
  }
  throw new Error('the state is short of nothing');
};

const seqFault = (kind: 'seq_reused' | 'seq_too_old', seq: number): LedgerRequestError =>
  kind === 'seq_reused'
    ? new LedgerRequestError(kind, `sequence ${String(seq)} of this instance stood for another request`)
    : new LedgerRequestError(kind, `sequence ${String(seq)} is no longer remembered: take a new one`);
