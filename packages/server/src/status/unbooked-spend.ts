import { counterKey } from '@tollgate/ledger';
import type { CounterTerms } from '@tollgate/ledger/pool';

/**
 * What new limits start from before a first call books it, for people to read. Each answer scans events, and views are
 * asked for every few seconds: so it is kept for a while, and asked for one at a time.
 */
export interface UnbookedSpend {
  /** In the limit's unit. `defined`: since when the limit is what it is; it and `now` in milliseconds since 1970. */
  of(terms: CounterTerms, at: { readonly defined: number; readonly now: number }): Promise<bigint>;
}

export interface UnbookedSpendDeps {
  readonly seedOf: (terms: CounterTerms) => Promise<bigint>;
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** How many answers are kept at most: the oldest go. */
  readonly most?: number;
}

export const makeUnbookedSpend = ({ seedOf, monotonic, most = MOST }: UnbookedSpendDeps): UnbookedSpend => {
  const known = new Map<string, Known>();
  const keep = (key: string, one: Known): void => {
    known.delete(key);
    known.set(key, one);
    for (const oldest of known.keys()) {
      if (known.size <= most) break;
      known.delete(oldest);
    }
  };

  let last: Promise<unknown> = Promise.resolve();
  const ask = (key: string, terms: CounterTerms, age: number): Promise<bigint> => {
    const answer = last.then(async () => {
      const began = monotonic();
      const amount = await seedOf(terms);
      const ended = monotonic();
      const ms = keptFor({ took: ended - began, age });
      keep(key, { answer: Promise.resolve(amount), freshUntil: ended + ms, goodUntil: ended + 2 * ms });
      return amount;
    });
    // Whoever waits hears of a failure; whoever comes next asks again.
    last = answer.catch(() => known.delete(key));
    return answer;
  };

  return {
    of: (terms, { defined, now }) => {
      const key = `${counterKey(terms)}@${terms.window.id}@${String(defined)}`;
      const found = known.get(key);
      const at = monotonic();
      if (found && at < found.freshUntil) return found.answer;
      const answer = ask(key, terms, now - defined);
      // Who asks meanwhile is not to ask the store, too.
      const shown = found && at < found.goodUntil ? found.answer : answer;
      keep(key, { answer: shown, freshUntil: Infinity, goodUntil: Infinity });
      return shown;
    },
  };
};

interface Known {
  readonly answer: Promise<bigint>;
  /** Then it is asked for again, and still shown meanwhile; monotonic milliseconds. */
  readonly freshUntil: number;
  /** From then on whoever asks waits for the new one. */
  readonly goodUntil: number;
}

const MOST = 10_000;
const LEAST_MS = 30_000;
/** Of the time at most: a twentieth goes into scans of one limit. */
const SHARE = 20;

/** An hour after a limit was defined no new event counts towards its seed: the older it is, the less there is to see. */
export const keptFor = ({ took, age }: { readonly took: number; readonly age: number }): number =>
  Math.max(LEAST_MS, took * SHARE, age / SHARE);
