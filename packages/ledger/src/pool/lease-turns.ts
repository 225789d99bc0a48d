import { counterKey, type CounterName } from '../counter.ts';
import type { AcquireRequest, AcquireResult } from '../lease-port.ts';
import type { BlockKeeper, NoBlock } from './block-keeper.ts';
import type { CounterTerms, ResolveCounter } from './block-source.ts';
import { counterKeyOf } from './counter-key.ts';
import type { Drainer } from './drainer.ts';
import { denied, grantsOf, nameOf } from './lease-answers.ts';
import { checkNeeds } from './lease-request-checks.ts';
import { LedgerRequestError, seqFault } from './ledger-request-error.ts';
import type { Members } from './members.ts';
import type { PoolEpochs } from './pool-epochs.ts';
import type { CounterKey, LeaseAnswer, PoolEpoch, PoolState } from './pool-state.ts';
import { changedTooFast, MOST_TURNS } from './pool-turns.ts';

/**
 * One lease of one or more counters. The state grants it, or says what stands in the way: a block to be fetched from the
 * source, a limit that was lowered, an epoch that is over, an instance that it does not know. That is mended, and it is
 * asked again, until an answer is final.
 */
export interface LeaseTurnsDeps {
  readonly state: Pick<PoolState, 'lease'>;
  readonly resolve: ResolveCounter;
  readonly keeper: BlockKeeper;
  readonly drainer: Drainer;
  readonly epochs: PoolEpochs;
  readonly members: Pick<Members, 'letIn'>;
  /** Milliseconds since 1970, UTC. */
  readonly clock: () => number;
  /** Over all servers of this pool. */
  readonly liveProxies: () => number;
  /** Other servers share the state, and may change it at any time. */
  readonly isShared: boolean;
  /** Throws where the pool has stopped. */
  readonly mustRun: () => void;
  /** Less of this counter may be leased than before. */
  readonly onLowered: (counter: CounterName) => void;
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

const MOST_BROUGHT_HOME = 10_000;

/** The source's no to a line that was so much short. */
interface Refused {
  readonly key: CounterKey;
  readonly short: bigint;
  readonly no: NoBlock;
}

export type Acquire = (request: AcquireRequest) => Promise<AcquireResult>;

export const makeLeaseTurns = (deps: LeaseTurnsDeps): Acquire => {
  const { state, resolve, keeper, drainer, epochs, members, clock, liveProxies, isShared, mustRun, onLowered } = deps;
  const broughtHome = new Set<CounterKey>();

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
            if (no.reason !== 'held' || !isShared) return { kind: 'answer', result: denied(line, no, answer.now) };
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
          await members.letIn(epoch, request.instance, answer.closes);
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
    throw changedTooFast();
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
    liveProxies: liveProxies(),
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
    if ((await drainer.drainPast(epoch)) === 'epoch') await epochs.renew(epoch);
    return true;
  };

  /** What was filled under a higher limit goes back; the next block is taken under the one in force. */
  const lower = async (epoch: PoolEpoch, lines: readonly Line[]): Promise<void> => {
    const drained = await drainer.drain(
      epoch,
      lines.map(({ key, terms }) => ({ key, max: terms.max })),
    );
    if (drained === 'epoch') await epochs.renew(epoch);
    else for (const { terms } of lines) onLowered(nameOf(terms));
  };

  return acquire;
};

const shortLine = (lines: readonly Line[], pooled: readonly bigint[]): Line & { readonly short: bigint } => {
  for (const [at, line] of lines.entries()) {
    const short = line.need - (pooled[at] ?? 0n);
    if (short > 0n) return { ...line, short };
  }
  throw new Error('the state is short of nothing');
};
