import fc from 'fast-check';
import type { CounterName } from '../counter.ts';
import { ANY_EPOCH } from '../session.ts';
import type { BlockSource, ChargedInEpoch, CounterTerms } from '../pool/block-source.ts';
import { makeMemoryBlockSource } from '../pool/memory-block-source.ts';
import type { PoolCharge } from '../pool/pool.ts';
import type { CounterTally } from '../pool/tally.ts';

/**
 * Random sequences of what pools ask of a block source, and what each answer is: two sources that are asked the same must
 * answer the same. Instances behave (they charge what they hold, where they are members); pools and servers do not.
 */
export type SourceStep =
  | { readonly kind: 'open' | 'succeed' | 'current' }
  | { readonly kind: 'join'; readonly who: number; readonly epoch: number }
  | {
      readonly kind: 'allocate';
      readonly epoch: number;
      readonly counter: number;
      readonly need: bigint;
      readonly short: bigint;
      readonly max: bigint;
    }
  | { readonly kind: 'loaded'; readonly epoch: number; readonly block: number }
  | { readonly kind: 'unloaded' | 'seal'; readonly epoch: number }
  | {
      readonly kind: 'refund';
      readonly epoch: number;
      readonly id: number;
      readonly counter: number;
      readonly permille: number;
    }
  | {
      readonly kind: 'settle';
      readonly who: number;
      readonly epoch: number;
      readonly counter: number;
      readonly permille: number;
    }
  | { readonly kind: 'close'; readonly who: number; readonly epoch: number | null };

const epoch = fc.nat(3);
const counter = fc.nat(3);
const who = fc.nat(1);
const permille = fc.constantFrom(0, 300, 1_000);
const amount = fc.oneof(
  { weight: 5, arbitrary: fc.bigInt(0n, 120n) },
  { weight: 1, arbitrary: fc.bigInt(2n ** 50n, 2n ** 53n - 1n) },
);
const max = fc.oneof(
  { weight: 4, arbitrary: fc.constant(100n) },
  { weight: 1, arbitrary: fc.constantFrom(40n, 200n, 2n ** 53n - 1n) },
);
const kind = <T extends string>(...kinds: T[]) => fc.constantFrom(...kinds);

const STEP: fc.Arbitrary<SourceStep> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind('open', 'succeed', 'succeed', 'current') }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('join'), who, epoch }) },
  { weight: 9, arbitrary: fc.record({ kind: kind('allocate'), epoch, counter, need: amount, short: amount, max }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('loaded'), epoch, block: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('unloaded', 'seal'), epoch }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('refund'), epoch, id: fc.nat(3), counter, permille }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('settle'), who, epoch, counter, permille }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('close'), who, epoch: fc.option(epoch, { nil: null, freq: 6 }) }) },
);

/** An epoch that servers share and one of a pool's own, a member, and a block. */
export const SOURCE_BEGINNING: readonly SourceStep[] = [
  { kind: 'succeed' },
  { kind: 'open' },
  { kind: 'join', who: 0, epoch: 0 },
  { kind: 'allocate', epoch: 0, counter: 0, need: 10n, short: 10n, max: 100n },
];

export const SOURCE_SCRIPT: fc.Arbitrary<readonly SourceStep[]> = fc
  .array(STEP, { minLength: 1, maxLength: 8 })
  .map((steps) => [...SOURCE_BEGINNING, ...steps]);

export interface SourceUnderTest {
  readonly source: BlockSource;
  /** Hello; to this epoch too, where it is named. */
  register(instance: string, epoch?: string): Promise<void>;
  settle(charge: PoolCharge): Promise<void>;
  sealEpoch(epoch: string): Promise<void>;
  closeInstance(instance: string, epoch: string): Promise<readonly ChargedInEpoch[]>;
  release?(): Promise<void>;
  /** Of budgets whose name begins so. */
  tallies(prefix: string): Promise<readonly CounterTally[]>;
}

/** Plays the sequence under names of its own and tells every answer, in words that are the same for every source. */
export const playSourceScript = async (
  { source, register, settle, sealEpoch, closeInstance, tallies }: SourceUnderTest,
  steps: readonly SourceStep[],
  prefix: string,
): Promise<readonly unknown[]> => {
  const answers: unknown[] = [];
  const epochs: string[] = [];
  const blocks: string[] = [];
  const members = new Set<string>();
  /** Taken and neither refunded nor charged, by epoch and counter. */
  const rest = new Map<string, bigint>();
  const numbers: number[] = [];
  const instance = (at: number): string => `${prefix}-${String(at)}`;
  const epochAt = (at: number): string => epochs[at % Math.max(1, epochs.length)] ?? '';
  const told = (id: string): number => epochs.indexOf(id);
  const blockTold = (id: string): number => {
    if (!blocks.includes(id)) blocks.push(id);
    return blocks.indexOf(id);
  };
  const restOf = (of: string, at: number): bigint => rest.get(`${of} ${String(at)}`) ?? 0n;
  const addRest = (of: string, at: number, more: bigint): void => {
    rest.set(`${of} ${String(at)}`, restOf(of, at) + more);
  };
  const nameAt = (at: number): CounterName => ({
    budget: `${prefix}/pool`,
    limit: at === 0 ? 'total' : 'slides',
    partition: '',
  });
  const termsAt = (at: number, limit: bigint): CounterTerms => ({
    ...nameAt(at),
    unit: 'cost',
    max: limit,
    window:
      at === 0
        ? { id: 'Total', start: 0, end: null }
        : { id: `bucket-${String(at)}`, start: at * 10_000, end: (at + 1) * 10_000 },
    sliding: at === 0 ? null : { buckets: 2, bucketMs: 10_000 },
  });

  const ask = async (step: SourceStep): Promise<unknown> => {
    switch (step.kind) {
      case 'open':
        epochs.push(await source.openEpoch());
        return epochs.length;
      case 'succeed': {
        const current = await source.shared.current();
        const next = await source.shared.succeed({ previous: current?.id ?? null, library: '', above: 0 });
        epochs.push(next.epoch.id);
        numbers.push(next.epoch.number);
        const late = await source.shared.succeed({ previous: 'another', library: '', above: 0 });
        return [next.made, next.epoch.number - (numbers[0] ?? 0), late.made, told(late.epoch.id)];
      }
      case 'current':
        return told((await source.shared.current())?.id ?? '');
      case 'join': {
        const of = epochAt(step.epoch);
        const answer = await source.join(of, instance(step.who));
        if (answer === 'joined') members.add(`${of} ${String(step.who)}`);
        return answer;
      }
      case 'allocate': {
        const of = epochAt(step.epoch);
        const short = step.short === 0n ? 1n : step.short;
        const need = step.need < short ? short : step.need;
        const answer = await source.allocate({ epoch: of, terms: termsAt(step.counter, step.max), need, short });
        if (answer.kind !== 'blocks') return answer;
        for (const block of answer.blocks) {
          if (!blocks.includes(block.id)) addRest(of, step.counter, block.amount);
        }
        return { ...answer, blocks: answer.blocks.map((block) => ({ ...block, id: blockTold(block.id) })) };
      }
      case 'loaded': {
        const block = blocks[step.block];
        return block === undefined ? null : source.loaded(epochAt(step.epoch), [block]);
      }
      case 'unloaded': {
        const left = await source.unloaded(epochAt(step.epoch));
        return left
          .map(({ id, amount: of, windowId, windowEnd, max: limit, free }) => [
            blockTold(id),
            of,
            windowId,
            windowEnd,
            limit,
            free,
          ])
          .sort();
      }
      case 'seal':
        return sealEpoch(epochAt(step.epoch));
      case 'refund': {
        const of = epochAt(step.epoch);
        const back = (restOf(of, step.counter) * BigInt(step.permille)) / 1_000n;
        // A pool makes an id for what it drains of one epoch, and nobody says it of another.
        const id = `${prefix}-refund-${String(told(of))}-${String(step.id)}`;
        const before = await tallies(prefix);
        await source.refund(of, id, [
          { ...nameAt(step.counter), windowId: termsAt(step.counter, 1n).window.id, amount: back },
        ]);
        const after = await tallies(prefix);
        if (sum(after) !== sum(before)) addRest(of, step.counter, -back);
        return sum(after) - sum(before);
      }
      case 'settle': {
        const of = epochAt(step.epoch);
        if (!members.has(`${of} ${String(step.who)}`)) return null;
        const charged = (restOf(of, step.counter) * BigInt(step.permille)) / 1_000n;
        if (charged === 0n) return null;
        addRest(of, step.counter, -charged);
        const windowId = termsAt(step.counter, 1n).window.id;
        return settle({ ...nameAt(step.counter), instance: instance(step.who), windowId, epoch: of, charged });
      }
      case 'close': {
        const of = step.epoch === null ? ANY_EPOCH : epochAt(step.epoch);
        for (const member of members) {
          const [memberOf, member_] = member.split(' ');
          if (member_ === String(step.who) && (of === ANY_EPOCH || memberOf === of)) members.delete(member);
        }
        const sums = await closeInstance(instance(step.who), of);
        return sums
          .map(({ limit, windowId, epoch: charged, amount: spent }) => [limit, windowId, told(charged), spent])
          .sort();
      }
    }
  };
  for (const at of [0, 1]) await register(instance(at));
  for (const step of steps) answers.push(await ask(step));
  const end = await tallies(prefix);
  answers.push(
    end
      .map(({ limit, windowId, allocated, refunded, settled, unresolved }) =>
        [limit, windowId, allocated, refunded, settled, unresolved].map(String),
      )
      // A row without a movement is made by one source and not by another.
      .filter(([, , ...amounts]) => amounts.some((each) => each !== '0'))
      .sort(),
  );
  return answers;
};

const sum = (tallies: readonly CounterTally[]): bigint => tallies.reduce((total, { refunded }) => total + refunded, 0n);

/** The block source in memory, which all others are held against. */
export const memorySource = (): SourceUnderTest => {
  const source = makeMemoryBlockSource();
  return {
    source,
    register: async (instance) => {
      source.register(instance);
    },
    settle: async (charge) => {
      source.settle([charge]);
    },
    sealEpoch: async (epoch) => {
      source.sealEpoch(epoch);
    },
    closeInstance: async (instance, epoch) => source.closeInstance(instance, epoch),
    tallies: async () => source.tallies(),
  };
};
