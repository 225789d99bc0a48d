import fc from 'fast-check';
import type { CounterName } from '../counter.ts';
import type { AcquireRequest, AcquireResult, GiveBackRequest, Grant, LeasePort } from '../lease-port.ts';
import type { CounterTally } from '../pool/tally.ts';
import type { ContractLimit } from './contract-terms.ts';

/**
 * What every place that leases come from promises, as one suite: the server's pool in memory, over the store on PGlite
 * and on PostgreSQL, and the HTTP client against a server run it alike. Knows no test runner; brings its own clock.
 */
export interface LedgerHarness {
  readonly port: LeasePort;
  /** Other servers may go on with the pool: one that stops leaves it as it is. */
  readonly isShared: boolean;
  /** The limits in force from now on. */
  limits(limits: readonly ContractLimit[]): Promise<void>;
  /** Moves the ledger's clock. It starts at a day's first millisecond, `START`. */
  advance(ms: number): void | Promise<void>;
  hello(instance: string): Promise<void>;
  /** An event of this instance with these charges is committed. */
  charge(instance: string, charges: readonly Spent[]): Promise<void>;
  /** The instance holds nothing of the present epoch any more. */
  close(instance: string): Promise<void>;
  /** The instance is over: it closes every epoch that it was ever let into. */
  end(instance: string): Promise<void>;
  /** The pool's process ends and another begins: in order, or with all that the pool held, and then in a new epoch. */
  restart(how: 'stop' | 'crash'): Promise<void>;
  /** Moves what ended windows left in the pool. */
  tend(): Promise<void>;
  tallies(): Promise<readonly ContractTally[]>;
  release(): Promise<void>;
}

export interface Spent extends CounterName {
  readonly windowId: string;
  readonly epoch: string;
  readonly charged: bigint;
}

/** `pooled` and `leased` as the pool of the present epoch has them. */
export interface ContractTally extends CounterTally {
  readonly pooled: bigint;
  readonly leased: bigint;
}

export interface SuiteTools {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>, timeoutMs?: number): void;
  /** Fails the test unless both are deeply equal. */
  same(actual: unknown, expected: unknown): void;
}

/** How far the suite goes: a store on a small machine need not play as many random games as one in memory. */
export interface SuiteSize {
  readonly games: number;
  readonly parallel: number;
  readonly timeoutMs: number;
}

export const DAILY: ContractLimit = { budget: 'team/pool', limit: 'daily', max: 1_000_000n, windowMs: 86_400_000 };
export const HOURLY: ContractLimit = { budget: 'team/pool', limit: 'hourly', max: 50_000n, windowMs: 3_600_000 };
const SLIDING: ContractLimit = { ...HOURLY, max: 60n, windowMs: 10_000, sliding: { buckets: 7, bucketMs: 10_000 } };
const TOTAL: ContractLimit = { budget: 'team/pool', limit: 'total', max: 100n, windowMs: null };

const at = ({ budget, limit }: ContractLimit, partition = ''): CounterName => ({ budget, limit, partition });
const need = (limit: ContractLimit, amount: bigint, prefer = amount, partition = '') => ({
  ...at(limit, partition),
  need: amount,
  prefer,
});

export const ledgerContract = (
  name: string,
  makeHarness: () => Promise<LedgerHarness>,
  { describe, it, same }: SuiteTools,
  { games, parallel, timeoutMs }: SuiteSize,
): void => {
  const withHarness =
    (limits: readonly ContractLimit[], body: (harness: LedgerHarness) => Promise<void>) => async (): Promise<void> => {
      const harness = await makeHarness();
      try {
        await harness.limits(limits);
        await harness.hello('a');
        await harness.hello('b');
        await body(harness);
        same(await unbalanced(harness), []);
      } finally {
        await harness.release();
      }
    };

  describe(`ledger contract: ${name}`, () => {
    it(
      'grants every counter of an acquisition, at least what it needs',
      withHarness([DAILY, HOURLY], async ({ port }) => {
        const grants = granted(
          await port.acquire({ instance: 'a', seq: 1, needs: [need(DAILY, 700n, 5_000n), need(HOURLY, 300n)] }),
        );
        same(
          grants.map(({ budget, limit, partition }) => ({ budget, limit, partition })),
          [at(DAILY), at(HOURLY)],
        );
        same(
          grants.map(({ amount, limit }) => amount >= (limit === DAILY.limit ? 700n : 300n)),
          [true, true],
        );
        same(
          grants.map(({ remainingMs }) => remainingMs),
          [86_400_000, 3_600_000],
        );
      }),
      timeoutMs,
    );

    it(
      'grants none where one counter has too little, and takes nothing from the others',
      withHarness([DAILY, TOTAL], async ({ port, tallies }) => {
        same(denial(await port.acquire({ instance: 'a', seq: 1, needs: [need(DAILY, 10n), need(TOTAL, 101n)] })), {
          reason: 'neverFits',
          counter: at(TOTAL),
          need: 101n,
          limit: 100n,
          resetMs: null,
        });
        same(
          sum(await tallies(), ({ leased }) => leased),
          0n,
        );
      }),
      timeoutMs,
    );

    it(
      'returns the same grant for the same sequence number, however often it is asked',
      withHarness([TOTAL], async ({ port, tallies }) => {
        const request: AcquireRequest = { instance: 'a', seq: 1, needs: [need(TOTAL, 60n)] };
        const answers = await Promise.all([port.acquire(request), port.acquire(request), port.acquire(request)]);
        same(answers[1], answers[0]);
        same(answers[2], answers[0]);
        same(
          sum(await tallies(), ({ leased }) => leased),
          60n,
        );
        same(await refusal(() => port.acquire({ ...request, needs: [need(TOTAL, 59n)] })), 'seq_reused');
      }),
      timeoutMs,
    );

    it(
      'tells what never fits, what is held by others, and what is exhausted',
      withHarness([TOTAL], async ({ port, charge }) => {
        same(denial(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 101n)] }))?.reason, 'neverFits');
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 2, needs: [need(TOTAL, 80n)] }));
        same(denial(await port.acquire({ instance: 'b', seq: 1, needs: [need(TOTAL, 30n)] }))?.reason, 'held');
        await charge('a', [spent(grant, 80n)]);
        same(denial(await port.acquire({ instance: 'b', seq: 2, needs: [need(TOTAL, 30n)] }))?.reason, 'exhausted');
        granted(await port.acquire({ instance: 'b', seq: 3, needs: [need(TOTAL, 20n)] }));
      }),
      timeoutMs,
    );

    it(
      'lets others have what is given back, and refuses to take back more than is in hand',
      withHarness([TOTAL], async ({ port, charge }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 100n)] }));
        await charge('a', [spent(grant, 25n)]);
        const back = (amount: bigint, seq: number) =>
          port.giveBack({
            instance: 'a',
            seq,
            returns: [{ ...at(TOTAL), leaseId: grant.leaseId, windowId: grant.window.id, epoch: grant.epoch, amount }],
          });
        same(await refusal(() => back(76n, 1)), 'give_back_exceeds');
        await back(75n, 2);
        await back(75n, 2);
        same(await refusal(() => back(1n, 3)), 'give_back_exceeds');
        same(granted(await port.acquire({ instance: 'b', seq: 1, needs: [need(TOTAL, 75n)] }))[0].amount, 75n);
        same(denial(await port.acquire({ instance: 'b', seq: 2, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'refuses amounts that are none, a counter named twice, and a counter that no budget names',
      withHarness([TOTAL], async ({ port }) => {
        const ask = (needs: AcquireRequest['needs']) => refusal(() => port.acquire({ instance: 'a', seq: 1, needs }));
        // Over HTTP the wire's own check speaks first.
        const invalid = ['invalid_amount', 'bad_request'];
        same(invalid.includes(await ask([need(TOTAL, -1n)])), true);
        same(invalid.includes(await ask([need(TOTAL, 2n ** 60n)])), true);
        same(await ask([need(TOTAL, 1n), need(TOTAL, 2n)]), 'duplicate_counter');
        same(await ask([need({ ...TOTAL, limit: 'gone' }, 1n)]), 'unknown_counter');
        same(
          await refusal(() => port.acquire({ instance: 'stranger', seq: 1, needs: [need(TOTAL, 1n)] })),
          'unknown_instance',
        );
        granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 100n)] }));
      }),
      timeoutMs,
    );

    it(
      'never grants more than the limit, whatever comes at once',
      withHarness([TOTAL], async ({ port }) => {
        const answers = await Promise.all(
          Array.from({ length: parallel }, (_, index) =>
            port.acquire({ instance: index % 2 === 0 ? 'a' : 'b', seq: index + 1, needs: [need(TOTAL, 1n)] }),
          ),
        );
        same(answers.filter((answer) => answer.granted).length, 100);
        same(
          new Set(answers.filter((answer) => !answer.granted).map((answer) => denial(answer)?.reason)),
          new Set(['held']),
        );
      }),
      timeoutMs,
    );

    it(
      'starts a new window full, and keeps the old one to itself',
      withHarness([HOURLY], async ({ port, advance, charge, tend, tallies }) => {
        const [first] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(HOURLY, 50_000n)] }));
        same(denial(await port.acquire({ instance: 'b', seq: 1, needs: [need(HOURLY, 1n)] }))?.resetMs, 3_600_000);
        await advance(3_600_000);
        const [second] = granted(await port.acquire({ instance: 'b', seq: 2, needs: [need(HOURLY, 50_000n)] }));
        same(first.window.id === second.window.id, false);
        await charge('a', [spent(first, 40_000n)]);
        await port.giveBack({
          instance: 'a',
          seq: 1,
          returns: [
            { ...at(HOURLY), leaseId: first.leaseId, windowId: first.window.id, epoch: first.epoch, amount: 10_000n },
          ],
        });
        await tend();
        const old = (await tallies()).find(({ windowId }) => windowId === first.window.id);
        same([old?.settled, old?.refunded, old?.pooled, old?.leased], [40_000n, 10_000n, 0n, 0n]);
      }),
      timeoutMs,
    );

    it(
      'holds a sliding limit over any run of buckets, and frees what falls out',
      withHarness([SLIDING], async ({ port, advance, charge }) => {
        const [first] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(SLIDING, 40n)] }));
        await charge('a', [spent(first, 40n)]);
        await advance(10_000);
        granted(await port.acquire({ instance: 'a', seq: 2, needs: [need(SLIDING, 20n)] }));
        await advance(5 * 10_000);
        same(denial(await port.acquire({ instance: 'b', seq: 1, needs: [need(SLIDING, 1n)] }))?.reason, 'held');
        await advance(10_000);
        granted(await port.acquire({ instance: 'b', seq: 2, needs: [need(SLIDING, 40n)] }));
        same(denial(await port.acquire({ instance: 'b', seq: 3, needs: [need(SLIDING, 1n)] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'says of a sliding limit when there is room again, which is not when the bucket ends',
      withHarness([SLIDING], async ({ port, advance, charge }) => {
        const [first] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(SLIDING, 40n)] }));
        await charge('a', [spent(first, 40n)]);
        await advance(10_000);
        const [second] = granted(await port.acquire({ instance: 'a', seq: 2, needs: [need(SLIDING, 20n)] }));
        await charge('a', [spent(second, 20n)]);
        const no = denial(await port.acquire({ instance: 'b', seq: 1, needs: [need(SLIDING, 30n)] }));
        same([no?.reason, no?.resetMs], ['exhausted', 60_000]);
      }),
      timeoutMs,
    );

    it(
      'counts partitions apart',
      withHarness([{ ...TOTAL, partitioned: true }], async ({ port }) => {
        granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 100n, 100n, 'x')] }));
        granted(await port.acquire({ instance: 'a', seq: 2, needs: [need(TOTAL, 100n, 100n, 'y')] }));
        same(denial(await port.acquire({ instance: 'a', seq: 3, needs: [need(TOTAL, 1n, 1n, 'x')] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'follows a limit that is lowered and raised, and never below zero',
      withHarness([TOTAL], async ({ port, limits, charge }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 50n)] }));
        await charge('a', [spent(grant, 50n)]);
        await limits([{ ...TOTAL, max: 40n }]);
        const lowered = await port.acquire({ instance: 'a', seq: 2, needs: [need(TOTAL, 1n)] });
        same([denial(lowered)?.reason, lowered.granted ? null : lowered.left], ['exhausted', 0n]);
        await limits([{ ...TOTAL, max: 60n }]);
        granted(await port.acquire({ instance: 'a', seq: 3, needs: [need(TOTAL, 10n)] }));
        same(denial(await port.acquire({ instance: 'a', seq: 4, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'lends no more than a lowered limit of what was in hand under the higher one and comes back',
      withHarness([TOTAL], async ({ port, limits, charge }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 50n)] }));
        await charge('a', [spent(grant, 3n)]);
        await limits([{ ...TOTAL, max: 5n }]);
        same(denial(await port.acquire({ instance: 'b', seq: 1, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
        await port.giveBack(backOf('a', 2, grant, 40n));
        same(denial(await port.acquire({ instance: 'b', seq: 2, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
        await port.giveBack(backOf('a', 3, grant, 7n));
        granted(await port.acquire({ instance: 'b', seq: 3, needs: [need(TOTAL, 2n)] }));
        same(granted(await port.acquire({ instance: 'a', seq: 4, needs: [need(TOTAL, 0n)] }))[0]?.amount, 0n);
        same(denial(await port.acquire({ instance: 'a', seq: 5, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'gives a closed instance no lease until it says hello again, and frees what it did not spend',
      withHarness([TOTAL], async ({ port, charge, close, hello }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 100n)] }));
        await charge('a', [spent(grant, 30n)]);
        await close('a');
        same(
          await refusal(() => port.acquire({ instance: 'a', seq: 2, needs: [need(TOTAL, 1n)] })),
          'unknown_instance',
        );
        granted(await port.acquire({ instance: 'b', seq: 1, needs: [need(TOTAL, 70n)] }));
        await hello('a');
        same(denial(await port.acquire({ instance: 'a', seq: 3, needs: [need(TOTAL, 1n)] }))?.reason, 'held');
      }),
      timeoutMs,
    );

    it(
      'strands what a crashed pool had, and refunds it when all who leased from it have closed',
      withHarness([TOTAL], async ({ port, charge, close, hello, restart, tallies }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 60n)] }));
        await charge('a', [spent(grant, 10n)]);
        await restart('crash');
        same(denial(await port.acquire({ instance: 'b', seq: 9, needs: [need(TOTAL, 50n)] }))?.reason, 'held');
        await close('a');
        await close('b');
        same(sum(await tallies(), ({ refunded }) => refunded) >= 50n, true);
        await hello('a');
        granted(await port.acquire({ instance: 'a', seq: 10, needs: [need(TOTAL, 90n)] }));
      }),
      timeoutMs,
    );

    it(
      'closes every epoch of an instance that is over, and lets nobody in under its name again',
      withHarness([TOTAL], async ({ port, charge, end, hello, restart }) => {
        const [grant] = granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(TOTAL, 60n)] }));
        await charge('a', [spent(grant, 10n)]);
        await restart('crash');
        await hello('a');
        granted(await port.acquire({ instance: 'a', seq: 2, needs: [need(TOTAL, 20n)] }));
        await end('a');
        await end('a');
        await end('b');
        await end('unheard of');
        same(await refusal(() => hello('a')), 'unknown_instance');
        same(await refusal(() => hello('unheard of')), 'unknown_instance');
        same(
          await refusal(() => port.acquire({ instance: 'a', seq: 3, needs: [need(TOTAL, 1n)] })),
          'unknown_instance',
        );
        await restart('crash');
        same(
          await refusal(() => port.acquire({ instance: 'a', seq: 4, needs: [need(TOTAL, 1n)] })),
          'unknown_instance',
        );
        await hello('c');
        granted(await port.acquire({ instance: 'c', seq: 1, needs: [need(TOTAL, 90n)] }));
      }),
      timeoutMs,
    );

    it(
      'loses nothing when the pool stops in order',
      withHarness([DAILY], async ({ port, isShared, restart, tallies }) => {
        granted(await port.acquire({ instance: 'a', seq: 1, needs: [need(DAILY, 10n)] }));
        await restart('stop');
        const [tally] = await tallies();
        if (isShared) same(tally && tally.allocated - tally.refunded, tally && tally.pooled + tally.leased);
        else same(tally && tally.allocated - tally.refunded, 10n);
      }),
      timeoutMs,
    );

    it(
      'conserves every amount and never exceeds a limit, in random games',
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(MOVE, { minLength: 5, maxLength: 40 }), async (moves) => {
            const harness = await makeHarness();
            try {
              await play(harness, moves, same);
            } finally {
              await harness.release();
            }
          }),
          { numRuns: games },
        );
      },
      timeoutMs,
    );
  });
};

type Move =
  | { readonly kind: 'acquire'; readonly who: number; readonly hourly: bigint; readonly total: bigint }
  | { readonly kind: 'spend' | 'return'; readonly which: number; readonly permille: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'resize'; readonly max: bigint }
  | { readonly kind: 'crash' };

const MOVE: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('acquire' as const),
      who: fc.nat(1),
      hourly: fc.bigInt(0n, 20_000n),
      total: fc.bigInt(0n, 40n),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('spend' as const, 'return' as const),
      which: fc.nat(50),
      permille: fc.nat(1_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(4_000_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), max: fc.bigInt(1n, 200n) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

/** Plays the part of two proxies that behave: they spend and return only what they hold, and close in the end. */
const play = async (harness: LedgerHarness, moves: readonly Move[], same: SuiteTools['same']): Promise<void> => {
  const names = ['a', 'b'] as const;
  let largest = TOTAL.max;
  const inHand: { who: string; grant: Grant; left: bigint }[] = [];
  let seq = 0;
  await harness.limits([HOURLY, TOTAL]);
  for (const name of names) await harness.hello(name);
  for (const move of moves) {
    switch (move.kind) {
      case 'acquire': {
        seq += 1;
        const who = names[move.who] ?? 'a';
        const answer = await harness.port.acquire({
          instance: who,
          seq,
          needs: [need(HOURLY, move.hourly), need(TOTAL, move.total)],
        });
        if (answer.granted) inHand.push(...answer.grants.map((grant) => ({ who, grant, left: grant.amount })));
        break;
      }
      case 'spend':
      case 'return': {
        const lease = inHand[move.which % Math.max(1, inHand.length)];
        if (!lease) break;
        const amount = (lease.left * BigInt(move.permille)) / 1_000n;
        lease.left -= amount;
        if (move.kind === 'spend') await harness.charge(lease.who, [spent(lease.grant, amount)]);
        else {
          seq += 1;
          const { budget, limit, partition, leaseId, epoch, window } = lease.grant;
          await harness.port.giveBack({
            instance: lease.who,
            seq,
            returns: [{ budget, limit, partition, leaseId, epoch, windowId: window.id, amount }],
          });
        }
        break;
      }
      case 'advance':
        await harness.advance(move.ms);
        break;
      case 'resize':
        if (move.max > largest) largest = move.max;
        await harness.limits([HOURLY, { ...TOTAL, max: move.max }]);
        break;
      case 'crash':
        await harness.restart('crash');
        break;
    }
    same(await unbalanced(harness), []);
    for (const tally of await harness.tallies()) {
      const most = tally.limit === TOTAL.limit ? largest : HOURLY.max;
      same(tally.allocated - tally.refunded <= most, true);
    }
  }
  for (const name of names) await harness.close(name);
  await harness.restart(harness.isShared ? 'crash' : 'stop');
  // All are gone and the epochs closed: what is not settled has come back.
  for (const tally of await harness.tallies()) {
    same(tally.allocated, tally.settled + tally.refunded + tally.unresolved);
  }
};

/** Counters whose pool and leases are more than what is in flight of them: less may be, of an epoch that is not closed. */
const unbalanced = async ({ tallies }: LedgerHarness): Promise<readonly ContractTally[]> =>
  (await tallies()).filter(({ allocated, refunded, settled, unresolved, pooled, leased }) => {
    const inFlight = allocated - refunded - settled - unresolved;
    return inFlight < pooled + leased || pooled < 0n || leased < 0n;
  });

const granted = (answer: AcquireResult): readonly [Grant, ...Grant[]] => {
  if (!answer.granted) throw new Error(`expected a grant, got "${answer.reason}" for ${answer.counter.limit}`);
  const [first, ...rest] = answer.grants;
  if (!first) throw new Error('expected a grant, got an empty one');
  return [first, ...rest];
};

const denial = (answer: AcquireResult) => {
  if (answer.granted) return null;
  const { reason, counter, need: needed, limit, resetMs } = answer;
  return { reason, counter, need: needed, limit, resetMs };
};

const spent = ({ budget, limit, partition, window, epoch }: Grant, charged: bigint): Spent => ({
  budget,
  limit,
  partition,
  windowId: window.id,
  epoch,
  charged,
});

/** The code of the refusal that was thrown: the ledger's own, wherever in the chain it was said. */
const refusal = async (act: () => Promise<unknown>): Promise<string> => {
  try {
    await act();
  } catch (error) {
    if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
  return 'none';
};

const backOf = (instance: string, seq: number, { window, ...grant }: Grant, amount: bigint): GiveBackRequest => ({
  instance,
  seq,
  returns: [
    {
      budget: grant.budget,
      limit: grant.limit,
      partition: grant.partition,
      leaseId: grant.leaseId,
      windowId: window.id,
      epoch: grant.epoch,
      amount,
    },
  ],
});

const sum = (tallies: readonly ContractTally[], of: (tally: ContractTally) => bigint): bigint =>
  tallies.reduce((total, tally) => total + of(tally), 0n);
