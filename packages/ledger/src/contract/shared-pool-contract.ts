import type { CounterName } from '../counter.ts';
import type { AcquireResult, GiveBackRequest, Grant } from '../lease-port.ts';
import type { BlockSource, ResolveCounter } from '../pool/block-source.ts';
import type { CounterTally } from '../pool/tally.ts';
import type { Pool } from '../pool/pool.ts';
import { contractTerms, type ContractLimit } from './contract-terms.ts';
import { START } from './memory-harness.ts';
import type { SharedWorld } from './pool-world.ts';
import type { SuiteTools } from './ledger-contract.ts';
import { memorySource, type SourceUnderTest } from './source-script.ts';

/**
 * What several servers of one pool promise together, whatever happens to what they share: the same epoch for all, each
 * amount leased, loaded and refunded once, and never more out than the limit. Over any world that is shared.
 */
const TOTAL: ContractLimit = { budget: 'team/pool', limit: 'total', max: 100n, windowMs: null };
const HOURLY: ContractLimit = { budget: 'team/pool', limit: 'hourly', max: 100_000n, windowMs: 3_600_000 };
const HOUR = 3_600_000;

interface Town {
  readonly world: SharedWorld;
  readonly source: SourceUnderTest;
  tallies(): Promise<readonly CounterTally[]>;
  /** Another server; `wrap` breaks its way to the source. */
  server(wrap?: (source: BlockSource) => BlockSource): Promise<Server>;
  setLimits(limits: readonly ContractLimit[]): void;
  advance(ms: number): Promise<void>;
}

interface Server {
  readonly pool: Pool;
  /** Limits that this server alone has heard of. */
  setLimits(limits: readonly ContractLimit[]): void;
  take(instance: string, limit: ContractLimit, need: bigint, seq?: number): Promise<AcquireResult>;
}

export const sharedPoolContract = (
  name: string,
  makeWorld: () => Promise<SharedWorld>,
  { describe, it, same }: SuiteTools,
  timeoutMs: number,
  makeSource: () => Promise<SourceUnderTest> = async () => memorySource(),
): void => {
  const inTown = (limits: readonly ContractLimit[], body: (town: Town) => Promise<void>) => async (): Promise<void> => {
    const town = await makeTown(makeWorld, await makeSource(), limits);
    try {
      await body(town);
    } finally {
      await town.world.release();
      await town.source.release?.();
    }
  };

  const out = async (town: Town): Promise<bigint> =>
    (await town.tallies()).reduce((sum, { allocated, refunded }) => sum + allocated - refunded, 0n);
  const pooledOf = async ({ pool }: Server): Promise<bigint> =>
    (await pool.balances()).reduce((sum, { pooled }) => sum + pooled, 0n);
  const isOneEpoch = (servers: readonly Server[]): boolean =>
    new Set(servers.map(({ pool }) => pool.epoch())).size === 1;

  describe(`shared pool contract: ${name}`, () => {
    it(
      'lets two servers lease from one pool, and tells a retry through either of them the same grant',
      inTown([TOTAL], async ({ server }) => {
        const [one, two] = [await server(), await server()];
        same(isOneEpoch([one, two]), true);
        const first = await one.take('a', TOTAL, 60n, 1);
        same(await two.take('a', TOTAL, 60n, 1), first);
        same(granted(await two.take('b', TOTAL, 40n)).amount, 40n);
        same(reasonOf(await one.take('b', TOTAL, 1n)), 'held');
        same(await refusal(two.take('a', TOTAL, 59n, 1)), 'seq_reused');
      }),
      timeoutMs,
    );

    it(
      'never grants more than the limit through any number of servers at once',
      inTown([TOTAL], async (town) => {
        const servers = await Promise.all([town.server(), town.server(), town.server()]);
        const answers = await Promise.all(
          Array.from({ length: 300 }, (_, at) => {
            const server = servers[at % servers.length] ?? servers[0];
            return server.take(at % 2 === 0 ? 'a' : 'b', TOTAL, 1n, at + 1);
          }),
        );
        const grants = answers.filter((answer) => answer.granted).length;
        same(grants <= 100, true);
        same((await out(town)) <= 100n, true);
      }),
      timeoutMs,
    );

    it(
      'leaves the pool to the others when one server stops, and lets those in whom it had let in',
      inTown([TOTAL], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        const grant = granted(await one.take('a', TOTAL, 50n, 1));
        await one.pool.stop();
        const next = granted(await two.take('a', TOTAL, 20n, 2));
        same(next.epoch, grant.epoch);
        await two.pool.giveBack(returning('a', 3, grant));
        same(granted(await two.take('a', TOTAL, 80n, 4)).amount, 80n);
        const three = await town.server();
        same(three.pool.epoch(), grant.epoch);
      }),
      timeoutMs,
    );

    it(
      'ends in one epoch where many servers start at the same moment',
      inTown([TOTAL], async (town) => {
        const servers = await Promise.all(Array.from({ length: 5 }, () => town.server()));
        const answers = await Promise.all(servers.map((each, at) => each.take('a', TOTAL, 10n, at + 1)));
        for (const { pool } of servers) await pool.tend();
        same(isOneEpoch(servers), true);
        same(answers.filter(({ granted: is }) => is).length, 5);
        same((await out(town)) <= 100n, true);
      }),
      timeoutMs,
    );

    for (const [what, strike] of LOSSES) {
      it(
        `goes on in one new epoch after ${what}, with what was out still counted`,
        inTown([TOTAL], async (town) => {
          const [one, two] = [await town.server(), await town.server()];
          if (what === BY_HAND && !town.world.faults.isSeenThrough) return;
          await one.take('a', TOTAL, 10n, 1);
          const kept = await town.world.faults.keep();
          granted(await two.take('a', TOTAL, 20n, 2));
          const before = one.pool.epoch();
          await strike(town.world, kept);
          const answers = await Promise.all([one.take('a', TOTAL, 30n, 3), two.take('b', TOTAL, 5n, 1)]);
          same(
            answers.map(({ granted: is }) => is),
            [true, true],
          );
          for (const { pool } of [one, two]) await pool.tend();
          same(isOneEpoch([one, two]), true);
          same(one.pool.epoch() === before, false);
          same((await out(town)) <= 100n, true);
          // What the lost epoch had is nobody's until all have closed it.
          same(reasonOf(await one.take('a', TOTAL, 60n, 4)), 'held');
          for (const instance of ['a', 'b'])
            await one.pool.close(instance, before, () => town.source.closeInstance(instance, before));
          same(granted(await two.take('a', TOTAL, 60n, 5)).amount, 60n);
          same((await out(town)) <= 100n, true);
        }),
        timeoutMs,
      );
    }

    it(
      'loads a block whose taker died before it could, once, when the next call is short',
      inTown([TOTAL], async (town) => {
        const two = await town.server();
        const one = await town.server(dyingAfterCommit);
        same(await refusal(one.take('a', TOTAL, 100n, 1)), 'died');
        same(await out(town), 100n);
        same(await pooledOf(two), 0n);
        const grant = granted(await two.take('a', TOTAL, 100n, 2));
        same(grant.amount, 100n);
        await two.pool.tend();
        await two.pool.tend();
        same(await pooledOf(two), 0n);
        same(reasonOf(await two.take('b', TOTAL, 1n)), 'held');
      }),
      timeoutMs,
    );

    it(
      'loads it too when whoever is left tends the pool, and only in its own epoch',
      inTown([TOTAL], async (town) => {
        const two = await town.server();
        const one = await town.server(dyingAfterCommit);
        same(await refusal(one.take('a', TOTAL, 40n, 1)), 'died');
        await Promise.all([two.pool.tend(), two.pool.tend()]);
        same(await pooledOf(two), 40n);
        same(await refusal(one.take('b', TOTAL, 50n, 1)), 'died');
        await town.world.lose();
        await two.pool.tend();
        await two.pool.tend();
        same(await pooledOf(two), 0n);
      }),
      timeoutMs,
    );

    it(
      'gives back what a past window left, once, whoever tends first',
      inTown([HOURLY], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        granted(await one.take('a', HOURLY, 10n, 1));
        await settledDown([one, two]);
        await town.advance(HOUR);
        await Promise.all([one.pool.tend(), two.pool.tend()]);
        const [tally] = await town.tallies();
        same(tally && tally.allocated - tally.refunded, 10n);
      }),
      timeoutMs,
    );

    it(
      'refunds once what a server took out of the pool and did not live to refund',
      inTown([HOURLY], async (town) => {
        const two = await town.server();
        const one = await town.server((source) => ({
          ...source,
          refund: async () => {
            throw new Error('died');
          },
        }));
        granted(await one.take('a', HOURLY, 10n, 1));
        await settledDown([one, two]);
        await town.advance(HOUR);
        await refusal(one.pool.tend());
        await refusal(one.pool.tend());
        same((await town.tallies())[0]?.refunded, 0n);
        await two.pool.tend();
        await two.pool.tend();
        const [tally] = await town.tallies();
        same(tally && tally.allocated - tally.refunded, 10n);
      }),
      timeoutMs,
    );

    it(
      'empties what is above a lowered limit, also where another server has not heard of it yet',
      inTown([HOURLY], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        granted(await one.take('a', HOURLY, 900n, 1));
        const low = { ...HOURLY, max: 1_000n };
        one.setLimits([low]);
        // 900 are in hand; a block of 2 % of 100,000 is in the pool.
        same(granted(await one.take('a', low, 100n, 2)).amount, 100n);
        same(reasonOf(await one.take('a', low, 1n, 3)), 'held');
        // The other one goes on by what it knows; what it takes is emptied when the first one looks.
        granted(await two.take('b', HOURLY, 10n, 1));
        same(reasonOf(await one.take('a', low, 1n, 4)), 'held');
        two.setLimits([low]);
        same(reasonOf(await two.take('b', low, 1n, 2)), 'held');
        town.setLimits([{ ...HOURLY, max: 200_000n }]);
        one.setLimits([{ ...HOURLY, max: 200_000n }]);
        granted(await one.take('a', HOURLY, 50_000n, 5));
      }),
      timeoutMs,
    );

    it(
      'gives an instance that closed through one server no lease through another, until it says hello again',
      inTown([TOTAL], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        const grant = granted(await one.take('a', TOTAL, 30n, 1));
        granted(await two.take('a', TOTAL, 30n, 2));
        await two.pool.close('a', grant.epoch, () => town.source.closeInstance('a', grant.epoch));
        same(await refusal(one.take('a', TOTAL, 1n, 3)), 'unknown_instance');
        same(granted(await one.take('b', TOTAL, 100n, 1)).amount, 100n);
        await town.source.register('a', grant.epoch);
        await one.pool.join('a');
        same(reasonOf(await two.take('a', TOTAL, 1n, 4)), 'held');
      }),
      timeoutMs,
    );

    it(
      'moves on for all servers when one is told to, with what nobody had leased, and what was leased stays out',
      inTown([TOTAL], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        const grant = granted(await one.take('a', TOTAL, 30n, 1));
        await one.pool.moveOn();
        same(one.pool.epoch() === grant.epoch, false);
        same(await out(town), 30n);
        same(granted(await two.take('b', TOTAL, 70n, 1)).epoch, one.pool.epoch());
        same(reasonOf(await one.take('b', TOTAL, 1n, 2)), 'held');
        await two.pool.close('a', grant.epoch, () => town.source.closeInstance('a', grant.epoch));
        await two.pool.close('b', grant.epoch, () => town.source.closeInstance('b', grant.epoch));
        same(granted(await one.take('b', TOTAL, 30n, 3)).amount, 30n);
        same(isOneEpoch([one, two]), true);
      }),
      timeoutMs,
    );

    it(
      'does nothing twice that comes late or again',
      inTown([TOTAL], async (town) => {
        const [one, two] = [await town.server(), await town.server()];
        const grant = granted(await one.take('a', TOTAL, 40n, 1));
        const back = returning('a', 2, grant);
        await one.pool.giveBack(back);
        const again = granted(await two.take('a', TOTAL, 40n, 3));
        await two.pool.giveBack(back);
        await one.pool.giveBack(back);
        same(granted(await one.take('a', TOTAL, 40n, 1)), grant);
        same(await refusal(one.pool.giveBack(returning('a', 2, grant, 1n))), 'seq_reused');
        // 40 in hand by the second lease, and not one more.
        same(await refusal(two.pool.giveBack(returning('a', 4, again, 41n))), 'give_back_exceeds');
        same(granted(await two.take('b', TOTAL, 60n, 1)).amount, 60n);
        same(reasonOf(await two.take('b', TOTAL, 1n, 2)), 'held');
      }),
      timeoutMs,
    );

    it(
      'conserves every amount when all have closed a lost pool',
      inTown([TOTAL, HOURLY], async (town) => {
        const servers = [await town.server(), await town.server()];
        const epochs = new Set<string>();
        let seq = 0;
        for (let round = 0; round < 12; round += 1) {
          const server = servers[round % 2] ?? servers[0];
          if (!server) break;
          for (const limit of [TOTAL, HOURLY]) {
            const answer = await server.take('a', limit, BigInt(1 + ((round * 7) % 10)), (seq += 1));
            if (!answer.granted) continue;
            const grant = granted(answer);
            epochs.add(grant.epoch);
            const charge = { ...grant, instance: 'a', windowId: grant.window.id, charged: grant.amount / 2n };
            await town.source.settle(charge);
            await server.pool.settled([charge]);
          }
          if (round % 5 === 4) await town.world.lose();
          if (round % 4 === 3) await town.advance(HOUR / 2);
          await server.pool.tend();
          epochs.add(server.pool.epoch());
        }
        for (const instance of ['a', 'b']) {
          for (const epoch of epochs) {
            await servers[0]?.pool.close(instance, epoch, () => town.source.closeInstance(instance, epoch));
          }
        }
        await town.world.lose();
        await servers[0]?.pool.tend();
        await servers[0]?.take('a', TOTAL, 0n, seq + 1).catch(() => undefined);
        for (const { allocated, settled, refunded, unresolved } of await town.tallies()) {
          same(allocated, settled + refunded + unresolved);
        }
      }),
      timeoutMs,
    );
  });
};

type Kept = Awaited<ReturnType<SharedWorld['faults']['keep']>>;

const BY_HAND = 'a hand at a balance';

/** Rows 6 to 9 of the fault matrix. */
const LOSSES: readonly (readonly [string, (world: SharedWorld, kept: Kept) => Promise<void>])[] = [
  ['a restart with nothing', ({ lose }) => lose()],
  ['FLUSHALL', ({ faults }) => faults.flush()],
  ['a restart from an old copy', (_world, { restart }) => restart()],
  ['a resync from one that was behind', (_world, { resync }) => resync()],
  [BY_HAND, ({ faults }) => faults.write(99n)],
];

const makeTown = async (
  makeWorld: () => Promise<SharedWorld>,
  source: SourceUnderTest,
  first: readonly ContractLimit[],
): Promise<Town> => {
  const world = await makeWorld();
  let now = START;
  let limits = first;
  let seq = 1_000;
  const resolveBy =
    (own: () => readonly ContractLimit[]): ResolveCounter =>
    (name: CounterName) => {
      const limit = own().find((each) => each.budget === name.budget && each.limit === name.limit);
      return limit ? contractTerms(limit, name.partition, now) : null;
    };
  await world.setTime(now);
  for (const instance of ['a', 'b']) await source.register(instance);
  return {
    world,
    source,
    tallies: () => source.tallies(TOTAL.budget),
    server: async (wrap = (plain) => plain) => {
      let own: readonly ContractLimit[] | null = null;
      const pool = await world.open({
        source: wrap(source.source),
        resolve: resolveBy(() => own ?? limits),
        clock: () => now,
        liveProxies: () => 1,
      });
      return {
        pool,
        setLimits: (next) => {
          own = next;
        },
        take: (instance, { budget, limit }, need, at = (seq += 1)) =>
          pool.acquire({ instance, seq: at, needs: [{ budget, limit, partition: '', need, prefer: need }] }),
      };
    },
    setLimits: (next) => {
      limits = next;
    },
    advance: async (ms) => {
      now += ms;
      await world.setTime(now);
    },
  };
};

/** Commits its blocks, and is gone before it can load them. */
const dyingAfterCommit = (source: BlockSource): BlockSource => ({
  ...source,
  allocate: async (request) => {
    await source.allocate(request);
    throw Object.assign(new Error('the server died here'), { code: 'died' });
  },
});

/** A block that is fetched ahead has come. */
const settledDown = async (servers: readonly Server[]): Promise<void> => {
  for (const { pool } of servers) await pool.tend();
};

const granted = (answer: AcquireResult): Grant => {
  const grant = answer.granted ? answer.grants[0] : undefined;
  if (grant) return grant;
  throw new Error(
    `expected a grant, got ${JSON.stringify(answer, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
};

const reasonOf = (answer: AcquireResult): string => (answer.granted ? 'granted' : answer.reason);

const returning = (instance: string, seq: number, grant: Grant, amount = grant.amount): GiveBackRequest => {
  const { budget, limit, partition, leaseId, epoch, window } = grant;
  return { instance, seq, returns: [{ budget, limit, partition, leaseId, epoch, windowId: window.id, amount }] };
};

const refusal = async (act: Promise<unknown>): Promise<string> => {
  try {
    await act;
    return 'none';
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    return error instanceof Error ? error.message : 'unknown';
  }
};
