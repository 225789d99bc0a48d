import fc from 'fast-check';
import { counterKeyOf } from '../pool/counter-key.ts';
import type { MemoryPoolState } from '../pool/memory-pool-state.ts';
import type { CounterKey, PoolEpoch, PoolState } from '../pool/pool-state.ts';
import type { CounterWindow } from '../counter.ts';
import { START } from './memory-harness.ts';

/**
 * Random sequences of what may be asked of a pool's state, in any order and with any nonsense in it, and what each answer
 * is: two states that are asked the same must answer the same. No state is asked for its time: their clocks are set.
 */
export type StateStep =
  | { readonly kind: 'open'; readonly number: number; readonly again: boolean }
  | { readonly kind: 'admit'; readonly who: number; readonly closes: number | null }
  | {
      readonly kind: 'load';
      readonly counter: number;
      readonly block: number;
      readonly amount: bigint;
      readonly max: bigint;
      readonly free: bigint;
    }
  | {
      readonly kind: 'lease';
      readonly who: number;
      readonly seq: number;
      readonly live: number;
      readonly needs: readonly (readonly [counter: number, need: bigint, more: bigint, max: bigint])[];
    }
  | { readonly kind: 'give'; readonly who: number; readonly seq: number; readonly lines: Lines }
  | { readonly kind: 'settle' | 'close'; readonly who: number; readonly lines: Lines }
  | { readonly kind: 'drain'; readonly id: number; readonly counters: readonly number[]; readonly max: bigint | null }
  | { readonly kind: 'refunded'; readonly id: number }
  | { readonly kind: 'forget'; readonly counters: readonly number[] }
  | { readonly kind: 'page' | 'isOpen' | 'lose' }
  | { readonly kind: 'hand'; readonly counter: number; readonly pooled: bigint }
  | { readonly kind: 'advance'; readonly ms: number };

type Lines = readonly (readonly [counter: number, amount: bigint])[];

const HOUR = 3_600_000;
/** One for ever, one of now, one of the next hour. */
const WINDOWS: readonly CounterWindow[] = [
  { id: 'Total', start: 0, end: null },
  { id: 'this', start: START, end: START + HOUR },
  { id: 'next', start: START + HOUR, end: START + 2 * HOUR },
];
const windowOf = (counter: number): CounterWindow => WINDOWS[counter] ?? { id: 'Total', start: 0, end: null };
export const scriptKey = (counter: number): CounterKey =>
  counterKeyOf({ budget: 'team/pool', limit: 'limit', partition: '@"#' }, windowOf(counter).id);

const counter = fc.nat(WINDOWS.length - 1);
const counters = fc.uniqueArray(counter, { minLength: 1, maxLength: 3 });
const who = fc.nat(1);
const seq = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(513, 520) },
);
/** Small, or so large that doubles are about to round; no eight of them add up to more than is exact. */
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(0n, 60n) },
  { weight: 1, arbitrary: fc.bigInt(2n ** 49n - 3n, 2n ** 49n) },
);
const max = fc.constantFrom(50n, 100n, 2n ** 52n);
const lines = fc.array(fc.tuple(counter, amount), { minLength: 1, maxLength: 3 });
const kind = <T extends string>(...kinds: T[]) => fc.constantFrom(...kinds);

const STEP: fc.Arbitrary<StateStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('load'), counter, block: fc.nat(3), amount, max, free: amount }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: kind('lease'),
      who,
      seq,
      live: fc.integer({ min: 0, max: 5 }),
      needs: counters.chain((named) => fc.tuple(...named.map((of) => fc.tuple(fc.constant(of), amount, amount, max)))),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: kind('give'), who, seq, lines }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('settle'), who, lines }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('close'),
      who,
      lines: fc.uniqueArray(fc.tuple(counter, amount), { maxLength: 3, selector: ([of]) => of }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('admit'), who, closes: fc.option(fc.nat(2), { nil: null }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('drain'), id: fc.nat(2), counters, max: fc.option(max, { nil: null }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('refunded'), id: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('forget'), counters }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('page', 'isOpen') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('advance'), ms: fc.constantFrom(1_000, HOUR / 2, HOUR, 2 * HOUR) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('open'), number: fc.nat(3), again: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.oneof(fc.record({ kind: kind('lose') }), fc.record({ kind: kind('hand'), counter, pooled: amount })),
  },
);

/** Both instances are in, and each counter has a block, so that most steps have something to do. */
const BEGINNING: readonly StateStep[] = [
  { kind: 'admit', who: 0, closes: 0 },
  { kind: 'admit', who: 1, closes: 0 },
  { kind: 'load', counter: 0, block: 0, amount: 100n, max: 100n, free: 0n },
  { kind: 'load', counter: 1, block: 0, amount: 60n, max: 100n, free: 40n },
];

export const STATE_SCRIPT: fc.Arbitrary<readonly StateStep[]> = fc
  .array(STEP, { minLength: 1, maxLength: 12 })
  .map((steps) => [...BEGINNING, ...steps]);

/** A state in a test's hand. */
export interface StateUnderTest {
  readonly state: PoolState;
  setTime(ms: number): Promise<void>;
  /** Its keys are gone. */
  lose(): Promise<void>;
  hand(key: CounterKey, pooled: bigint): Promise<void>;
}

/** Plays the sequence in a new epoch and tells every answer. `first` names the epoch, and what follows it. */
export const playScript = async (
  { state, setTime, lose, hand }: StateUnderTest,
  steps: readonly StateStep[],
  first: PoolEpoch,
): Promise<readonly unknown[]> => {
  const answers: unknown[] = [];
  let now = START;
  let epoch = first;
  let opened = 0;
  await setTime(now);
  const ask = async (step: StateStep): Promise<unknown> => {
    switch (step.kind) {
      case 'open': {
        const next = step.again
          ? epoch
          : { ...epoch, id: `${first.id}-${String((opened += 1))}`, number: first.number + step.number };
        const answer = await state.open(next);
        if (answer.kind === 'opened') epoch = next;
        // Numbers rise over all sequences of a state.
        return answer.kind === 'newer' ? { kind: 'newer', number: answer.number - first.number } : answer;
      }
      case 'admit':
        return state.admit(epoch, name(step.who), step.closes);
      case 'load':
        return state.load(epoch, {
          key: scriptKey(step.counter),
          blockId: String(step.block),
          amount: step.amount,
          windowEnd: windowOf(step.counter).end,
          max: step.max,
          free: step.free,
        });
      case 'lease':
        return state.lease(epoch, {
          instance: name(step.who),
          seq: step.seq,
          asked: step.needs.map(([of, need]) => `${String(of)}=${String(need)}`).join(),
          liveProxies: step.live,
          lines: step.needs.map(([of, need, more, limit]) => ({
            key: scriptKey(of),
            window: windowOf(of),
            max: limit,
            need,
            prefer: need + more,
          })),
        });
      case 'give':
        return state.giveBack(epoch, {
          instance: name(step.who),
          seq: step.seq,
          asked: step.lines.map(([of, back]) => `${String(of)}=${String(back)}`).join(),
          returns: step.lines.map(([of, back]) => ({ key: scriptKey(of), amount: back })),
        });
      case 'settle':
        return state.settled(
          epoch,
          step.lines.map(([of, charged]) => ({ instance: name(step.who), key: scriptKey(of), charged })),
        );
      case 'close':
        return state.close(
          epoch,
          name(step.who),
          step.lines.map(([of, spent]) => ({ key: scriptKey(of), amount: spent })),
        );
      case 'drain':
        return state.drain(
          epoch,
          `drain-${String(step.id)}`,
          step.counters.map((of) => ({ key: scriptKey(of), max: step.max })),
        );
      case 'refunded':
        return state.refunded(epoch, `drain-${String(step.id)}`);
      case 'forget':
        return state.forget(epoch, step.counters.map(scriptKey));
      case 'page':
        return sorted(await state.page(epoch, 0));
      case 'isOpen':
        return state.isOpen(epoch);
      case 'lose':
        return lose();
      case 'hand':
        return hand(scriptKey(step.counter), step.pooled);
      case 'advance':
        now += step.ms;
        return setTime(now);
    }
  };
  answers.push(await state.open(epoch));
  for (const step of steps) answers.push(await ask(step));
  answers.push(sorted(await state.page(epoch, 0)));
  return answers;
};

/** The memory state, which all others are held against. */
export const memoryUnderTest = (state: MemoryPoolState, setTime: (ms: number) => void): StateUnderTest => ({
  state,
  setTime: async (ms) => {
    setTime(ms);
  },
  lose: async () => {
    state.flush();
  },
  hand: async (key, pooled) => {
    state.write(key, pooled);
  },
});

const name = (at: number): string => `instance-${String(at)}`;

/** Redis tells counters by the end of their windows, memory as they came. */
const sorted = (page: Awaited<ReturnType<PoolState['page']>>): unknown =>
  page.kind === 'page'
    ? {
        ...page,
        counters: [...page.counters].sort((one, two) => (one.key < two.key ? -1 : 1)),
        drains: [...page.drains].sort((one, two) => (one.id < two.id ? -1 : 1)),
      }
    : page;
