import { refusalReason } from './block-decision.ts';
import type { BlockAnswer, BlockSource, CounterTerms } from './block-source.ts';
import { counterKeyOf } from './counter-key.ts';
import { makeKeyLocks, type KeyLocks } from './key-locks.ts';
import type { CounterKey, LoadRequest, PoolEpoch, PoolState } from './pool-state.ts';

/** Brings blocks from the source into the state: when a call is short, and ahead of need. */
export interface BlockKeeper {
  /** One filler of a counter at a time: who comes meanwhile waits for what it brings. */
  readonly locks: KeyLocks;
  /** Under the counter's lock. Null: blocks came, or were there all along: ask the state again. */
  fill(epoch: PoolEpoch, wish: BlockWish): Promise<NoBlock | 'epoch' | null>;
  /** Counts what the source is asked for: to tell whether a no came after a moment. */
  asked(): number;
  /**
   * The source's no to as much or less of this counter, asked for after that moment: then it holds for this wish as well,
   * and those who waited for one filler need not ask one after another. Null: ask.
   */
  refusedSince(moment: number, epoch: PoolEpoch, wish: Pick<BlockWish, 'terms' | 'need'>): NoBlock | null;
  /** Fetches the next block unless it is being fetched, or there was none a moment ago. */
  prefetch(epoch: PoolEpoch, terms: CounterTerms): void;
  /** Blocks that somebody took and may have died before loading. */
  loadLeftOvers(epoch: PoolEpoch): Promise<void>;
  /** Nothing is being fetched ahead any more. */
  idle(): Promise<void>;
}

export interface BlockWish {
  readonly terms: CounterTerms;
  readonly need: bigint;
  readonly short: bigint;
}

export type NoBlock = Extract<BlockAnswer, { kind: 'refused' }>;

export interface BlockKeeperDeps {
  readonly state: PoolState;
  readonly source: BlockSource;
  readonly clock: () => number;
  readonly onFault: (fault: unknown, doing: string) => void;
}

interface Refusal {
  readonly moment: number;
  readonly epoch: string;
  readonly max: bigint;
  readonly need: bigint;
  readonly no: NoBlock;
}

/** A counter that had no further block is not asked for one ahead of need again for so long. */
const BARREN_MS = 1_000;
const MOST_BARREN = 10_000;

export const makeBlockKeeper = ({ state, source, clock, onFault }: BlockKeeperDeps): BlockKeeper => {
  const locks = makeKeyLocks();
  const barrenUntil = new Map<CounterKey, number>();
  const refusals = new Map<CounterKey, Refusal>();
  let asked = 0;
  const fetching = new Map<CounterKey, Promise<void>>();

  const fill: BlockKeeper['fill'] = async (epoch, { terms, need, short }) => {
    const moment = (asked += 1);
    const answer = await source.allocate({ epoch: epoch.id, terms, need, short });
    if (answer.kind === 'refused') {
      if (refusals.size >= MOST_BARREN) refusals.clear();
      // Of a sliding limit the first no is not the last word: what earlier buckets left may come home.
      if (!terms.sliding)
        refusals.set(counterKeyOf(terms, terms.window.id), {
          moment,
          epoch: epoch.id,
          max: terms.max,
          need,
          no: answer,
        });
      return answer;
    }
    if (answer.kind === 'sealed') return 'epoch';
    const { max, window } = terms;
    const key = counterKeyOf(terms, window.id);
    return load(
      epoch,
      answer.blocks.map(({ id, amount }) => ({
        key,
        blockId: id,
        amount,
        windowEnd: window.end,
        max,
        free: answer.free,
      })),
    );
  };

  const load = async (epoch: PoolEpoch, blocks: readonly LoadRequest[]): Promise<'epoch' | null> => {
    let wasThere = false;
    for (const block of blocks) {
      const answer = await state.load(epoch, block);
      if (answer === 'epoch') return 'epoch';
      if (answer !== 'loaded') wasThere = true;
    }
    const noted = source.loaded(
      epoch.id,
      blocks.map(({ blockId }) => blockId),
    );
    // Else the source would tell the same blocks again, and they bring nothing more.
    if (wasThere) await noted;
    // Not waited for: should it get lost, whoever looks next loads them again, which changes nothing.
    else
      noted.catch((fault: unknown) => {
        onFault(fault, 'note that blocks are loaded');
      });
    return null;
  };

  const fetchAhead = async (epoch: PoolEpoch, terms: CounterTerms, key: CounterKey): Promise<void> => {
    try {
      const no = await locks.run(key, () => fill(epoch, { terms, need: 0n, short: 1n }));
      if (no === null) return;
    } catch (fault) {
      onFault(fault, 'fetch a block ahead of need');
    }
    if (barrenUntil.size >= MOST_BARREN) barrenUntil.clear();
    barrenUntil.set(key, clock() + BARREN_MS);
  };

  return {
    locks,
    fill,
    asked: () => asked,
    refusedSince: (moment, epoch, { terms, need }) => {
      const last = refusals.get(counterKeyOf(terms, terms.window.id));
      if (!last || last.moment <= moment || last.epoch !== epoch.id || last.max !== terms.max) return null;
      return need < last.need ? null : { ...last.no, reason: refusalReason({ max: terms.max, ...last.no, need }) };
    },
    prefetch: (epoch, terms) => {
      const key = counterKeyOf(terms, terms.window.id);
      if (fetching.has(key) || clock() < (barrenUntil.get(key) ?? 0)) return;
      barrenUntil.delete(key);
      fetching.set(
        key,
        fetchAhead(epoch, terms, key).finally(() => fetching.delete(key)),
      );
    },
    loadLeftOvers: async (epoch) => {
      const left = await source.unloaded(epoch.id);
      if (left.length === 0) return;
      await load(
        epoch,
        left.map(({ id, ...block }) => ({ ...block, blockId: id, key: counterKeyOf(block, block.windowId) })),
      );
    },
    idle: async () => {
      await Promise.all(fetching.values());
    },
  };
};
