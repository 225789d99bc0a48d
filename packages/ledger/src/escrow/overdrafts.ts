/**
 * The overdraft of Hard budgets, as an emergency lease: this proxy's share is taken from the ledger ahead of need, on a
 * counter of its own, and spent only while the ledger cannot be asked, for as long as the budget allows. So what all
 * proxies together overdraw in an outage is at most the amount that the budget names, however long it lasts.
 */
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import type { CounterName } from '../counter.ts';
import type { Acquire } from './acquisition.ts';
import type { CounterState, CounterStates } from './counter-state.ts';
import type { HoldNeed } from './hold.ts';
import type { Leases } from './leases.ts';
import type { Outage } from './outage.ts';

export interface OverdraftTerms {
  /** `<namespace>/<name>` */
  readonly budget: string;
  /** Nano-USD, for all proxies together. */
  readonly amount: bigint;
  /** How long one outage may draw on it. */
  readonly maxDurationMs: number;
}

export interface Overdrafts {
  /** All that are in force, in place of those before. */
  set(terms: readonly OverdraftTerms[]): void;
  /** Among how many an overdraft is shared. */
  setPeers(count: number): void;
  /** Takes shares that are missing. */
  tend(now: number): void;
  /** What to hold instead, where the ledger is away and money is missing that an overdraft stands in for; else null. */
  cover(needs: readonly HoldNeed[], now: number): readonly HoldNeed[] | null;
  /** Shares in hand, in nano-USD. */
  inHand(): bigint;
}

export interface OverdraftsDeps {
  readonly states: CounterStates;
  readonly leases: Pick<Leases, 'usable' | 'grant' | 'recall'>;
  readonly acquire: Acquire;
  readonly outage: Pick<Outage, 'since'>;
  readonly clock: () => number;
  readonly onFault: (fault: unknown, doing: string) => void;
}

interface Share {
  terms: OverdraftTerms;
  readonly state: CounterState;
  asking: boolean;
  /** A first share may be more than others left: then half of it is asked for. */
  halvings: number;
  askAt: number;
}

/** Between two questions for more, where there was less than a fair share. */
const ASK_AGAIN_MS = 30_000;
const MOST_HALVINGS = 4;

export const makeOverdrafts = ({ states, leases, acquire, outage, clock, onFault }: OverdraftsDeps): Overdrafts => {
  const shares = new Map<string, Share>();
  let peers = 1n;

  const set = (all: readonly OverdraftTerms[]): void => {
    const kept = new Set(all.map(({ budget }) => budget));
    for (const [budget, { state }] of shares) {
      if (kept.has(budget)) continue;
      state.isReserve = false;
      leases.recall(state);
      shares.delete(budget);
    }
    for (const terms of all) {
      const known = shares.get(terms.budget);
      const state = states.of({ budget: terms.budget, limit: OVERDRAFT_LIMIT, partition: '' }, terms.amount);
      state.isReserve = true;
      if (known) known.terms = terms;
      else shares.set(terms.budget, { terms, state, asking: false, halvings: 0, askAt: -Infinity });
    }
    tend(clock());
  };

  const tend = (now: number): void => {
    if (outage.since() !== null) return;
    for (const share of shares.values()) {
      const { state, terms, halvings } = share;
      const lease = leases.usable(state, now);
      const fair = (terms.amount / peers) >> BigInt(halvings);
      const missing = fair - (lease === null ? 0n : lease.balance + lease.held);
      if (share.asking || now < share.askAt || missing <= 0n || missing * 2n < fair) continue;
      share.asking = true;
      void ask(share, missing).finally(() => {
        share.asking = false;
      });
    }
  };

  const ask = async (share: Share, need: bigint): Promise<void> => {
    try {
      const answer = await acquire([{ ...share.state.name, need, prefer: need }], () => false);
      if (answer === null) return;
      const now = clock();
      if (answer.result.granted) {
        for (const grant of answer.result.grants) leases.grant(share.state, grant, answer.askedAt, now);
        share.halvings = 0;
      } else {
        const isLast = share.halvings >= MOST_HALVINGS || answer.result.reason !== 'held';
        share.halvings = isLast ? 0 : share.halvings + 1;
        share.askAt = isLast ? now + ASK_AGAIN_MS : now;
      }
    } catch (fault) {
      onFault(fault, 'lease an overdraft');
      share.askAt = clock() + ASK_AGAIN_MS;
    }
  };

  const cover = (needs: readonly HoldNeed[], now: number): readonly HoldNeed[] | null => {
    const since = outage.since();
    if (since === null || shares.size === 0) return null;
    const covered: HoldNeed[] = [];
    const drawn = new Map<string, HoldNeed>();
    for (const need of needs) {
      const state = states.find(need);
      const inHand = (state && leases.usable(state, now)?.balance) ?? 0n;
      if (need.amount <= inHand) {
        covered.push(need);
        continue;
      }
      // Calls and tokens have no overdraft: a Hard limit on them stands in an outage too.
      const share = need.unit === 'cost' ? shares.get(need.budget) : undefined;
      if (share === undefined || now - since >= share.terms.maxDurationMs) return null;
      const before = drawn.get(need.budget);
      if (before === undefined || before.amount < need.amount) drawn.set(need.budget, onOverdraft(need, share.terms));
    }
    return drawn.size === 0 ? null : [...covered, ...drawn.values()];
  };

  return {
    set,
    setPeers: (count) => {
      peers = BigInt(Math.max(1, Math.floor(count)));
    },
    tend,
    cover,
    inHand: () => {
      let sum = 0n;
      for (const { state } of shares.values()) sum += leases.usable(state, clock())?.balance ?? 0n;
      return sum;
    },
  };
};

export const isOverdraft = ({ limit }: CounterName): boolean => limit === OVERDRAFT_LIMIT;

const onOverdraft = (need: HoldNeed, { amount }: OverdraftTerms): HoldNeed => ({
  ...need,
  limit: OVERDRAFT_LIMIT,
  partition: '',
  max: amount,
});
