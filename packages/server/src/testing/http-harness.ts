import type { TokenBudget } from '@tollgate/api';
import { ANY_EPOCH } from '@tollgate/ledger';
import {
  makeMemoryWorld,
  START,
  tallyWith,
  type ContractLimit,
  type LedgerHarness,
  type PoolWorld,
} from '@tollgate/ledger/contract';
import { makeHttpLedger, type HttpLedger } from '@tollgate/ledger/http';
import { sealEvent } from '@tollgate/ledger/wire';
import { formatUsd } from '@tollgate/metering';
import { openStore } from '@tollgate/store';
import { anEvent } from '@tollgate/store/testing';
import { aBudget } from './a-budget.ts';
import { startTestServer, TOKEN, type TestServer } from './test-server.ts';

/** The contract's harness over the HTTP client, a listening server, and a store of its own. */
export const makeHttpHarness = async (
  connectionString: string,
  max: number,
  makeWorld: () => Promise<PoolWorld> = makeMemoryWorld,
): Promise<LedgerHarness> => {
  const world = await makeWorld();
  const store = await openStore({ connectionString, max });
  const clock = { now: START };
  const servers: TestServer[] = [];
  const clients: HttpLedger[] = [];
  const epochs: string[] = [];
  let budgets: readonly TokenBudget[] = [];

  const start = async (): Promise<void> => {
    const started = await startTestServer(store, clock, { makePool: world.open });
    await started.server.setResources({ budgets, routes: [] });
    servers.unshift(started);
    clients.unshift(
      makeHttpLedger({ serverUrl: started.url, token: () => TOKEN, random: () => 0, timeouts: { lease: 20_000 } }),
    );
    epochs.push(started.pool.epoch());
  };
  await start();
  const client = (): HttpLedger => found(clients[0]);
  const server = (): TestServer => found(servers[0]);
  const seqs = new Map<string, number>();

  return {
    isShared: world.isShared,
    port: { acquire: (request) => client().acquire(request), giveBack: (request) => client().giveBack(request) },
    limits: async (limits) => {
      budgets = budgetsOf(limits);
      await server().server.setResources({ budgets, routes: [] });
    },
    advance: (ms) => {
      clock.now += ms;
      return world.setTime(clock.now);
    },
    hello: async (instance) => {
      await client().hello({ contract: 1, instance, version: '0', subject: anEvent({}).subject });
    },
    charge: async (instance, charges) => {
      const seq = (seqs.get(instance) ?? 0) + 1;
      seqs.set(instance, seq);
      const counters = charges.map((charge) => ({ ...charge, held: charge.charged }));
      await client().ship([sealEvent(anEvent({ instance, seq, counters }))]);
    },
    close: async (instance) => {
      for (const epoch of epochs) await client().closeEpoch({ instance, epoch, lastSeq: seqs.get(instance) ?? 0 });
    },
    end: (instance) => client().closeEpoch({ instance, epoch: ANY_EPOCH, lastSeq: seqs.get(instance) ?? 0 }),
    restart: async (how) => {
      // A crash leaves the old one as it was: nothing is given back, and nobody asks it any more.
      if (how === 'stop') await server().server.close();
      else await world.lose();
      await start();
    },
    tend: () => server().pool.tend(),
    tallies: async () => {
      const balances = await server().pool.balances();
      return tallyWith(await store.tallies(), balances);
    },
    release: async () => {
      for (const { close } of clients) close();
      for (const { server: each } of servers) await each.close();
      await world.release();
      await store.close();
    },
  };
};

const budgetsOf = (limits: readonly ContractLimit[]): readonly TokenBudget[] =>
  [...Map.groupBy(limits, ({ budget }) => budget)].map(([budget, list]) => {
    const [namespace, name] = budget.split('/');
    return aBudget({ limits: list.map(toLimit) }, name, namespace);
  });

const toLimit = ({ limit, max, windowMs, sliding, partitioned }: ContractLimit): object => ({
  name: limit,
  cost: { max: formatUsd(max) },
  period: sliding ? 'Minute' : PERIODS.get(windowMs),
  window: sliding ? 'Sliding' : 'Calendar',
  partitionBy: partitioned ? 'User' : 'Budget',
});

const PERIODS: ReadonlyMap<number | null, string> = new Map<number | null, string>([
  [3_600_000, 'Hour'],
  [86_400_000, 'Day'],
  [null, 'Total'],
]);

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('no server is running');
  return value;
};
