/**
 * The bound, looked at with every bill: what was really spent in a window, or in any run of buckets of a sliding limit, is
 * within the largest maximum under which a block of it was written down, plus what unsound holds went beyond theirs.
 */
import { counterKey } from '../counter.ts';
import type { CounterTerms } from '../pool/block-source.ts';
import { largestSlidingSum } from '../pool/sliding-sum.ts';
import type { Findings } from './findings.ts';
import { slidingOf, type Limits } from './limits.ts';
import type { Billed, BilledCounter } from './provider.ts';
import type { PlannedLimit } from './schedule.ts';

export interface SpendWatch {
  bill(entry: Billed): void;
  /** A block was written down under these terms. */
  block(terms: CounterTerms): void;
  /** What may be out of a window: its largest maximum, and what unsound holds went beyond theirs. */
  allowed(counter: string, windowId: string): { readonly max: bigint; readonly over: bigint };
}

interface WindowSpend {
  readonly start: number;
  spent: bigint;
  over: bigint;
  max: bigint;
}

export const makeSpendWatch = (limits: Limits, findings: Findings): SpendWatch => {
  const counters = new Map<string, Map<string, WindowSpend>>();

  const windowOf = (counter: string, windowId: string): WindowSpend => {
    let windows = counters.get(counter);
    if (!windows) counters.set(counter, (windows = new Map()));
    const found = windows.get(windowId);
    if (found) return found;
    const start = windowId === 'Total' ? 0 : Number.parseInt(windowId, 10);
    const made = { start, spent: 0n, over: 0n, max: 0n };
    windows.set(windowId, made);
    return made;
  };

  const check = (limit: PlannedLimit, counter: string, windowId: string): void => {
    const { sum, most } = sumsAround(limit, counter, windowId);
    findings.must(sum <= most, 'bound', () => `${counter} ${windowId}: spent ${String(sum)} of ${String(most)}`);
  };

  const sumsAround = (limit: PlannedLimit, counter: string, windowId: string): { sum: bigint; most: bigint } => {
    const own = windowOf(counter, windowId);
    const sliding = slidingOf(limit);
    if (!sliding) return { sum: own.spent, most: own.max + own.over };
    const reach = (sliding.buckets - 1) * sliding.bucketMs;
    const near = [...(counters.get(counter)?.values() ?? [])].filter(
      ({ start }) => Math.abs(start - own.start) <= reach,
    );
    const most = near.reduce((largest, { max }) => (max > largest ? max : largest), 0n);
    const sum = (of: (window: WindowSpend) => bigint): bigint =>
      largestSlidingSum(
        near.map((window) => ({ start: window.start, amount: of(window) })),
        own.start,
        sliding,
      );
    return { sum: sum(({ spent }) => spent), most: most + sum(({ over }) => over) };
  };

  const add = (counter: BilledCounter): void => {
    const limit = limits.find(counter);
    const key = counterKey(counter);
    findings.must(
      !counter.isHard || (counter.held >= counter.bound && counter.windowId !== ''),
      'bound',
      () =>
        `${key} ${counter.windowId}: sent with a hold of ${String(counter.held)}, and may use ${String(counter.bound)}`,
    );
    if (counter.windowId === '' || !limit) return;
    const window = windowOf(key, counter.windowId);
    window.spent += counter.used;
    if (counter.used > counter.bound) window.over += counter.used - counter.bound;
    check(limit, key, counter.windowId);
  };

  return {
    bill: ({ counters: parts }) => {
      parts.forEach(add);
    },
    block: (terms) => {
      const window = windowOf(counterKey(terms), terms.window.id);
      if (terms.max > window.max) window.max = terms.max;
    },
    allowed: windowOf,
  };
};
