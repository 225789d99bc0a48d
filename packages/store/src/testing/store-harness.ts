import { randomUUID } from 'node:crypto';
import { ANY_EPOCH, type CounterName, type LedgerEvent } from '@tollgate/ledger';
import {
  contractTerms,
  makeMemoryWorld,
  START,
  tallyWith,
  type ContractLimit,
  type LedgerHarness,
  type PoolWorld,
} from '@tollgate/ledger/contract';
import { openStore } from '../open-store.ts';
import { anEvent } from './an-event.ts';

/** The contract's harness over pools of some kind and a store. */
export const makeStoreHarness = async (
  connectionString: string,
  max: number,
  makeWorld: () => Promise<PoolWorld> = makeMemoryWorld,
): Promise<LedgerHarness> => {
  const world = await makeWorld();
  const store = await openStore({ connectionString, max });
  // Games share a database: names of their own keep them apart.
  const game = randomUUID().slice(0, 8);
  const outer = (instance: string): string => `${game}-${instance}`;
  let now = START;
  let limits: readonly ContractLimit[] = [];
  const resolve = (name: CounterName) => {
    const limit = limits.find((candidate) => candidate.budget === name.budget && candidate.limit === name.limit);
    return limit ? contractTerms(limit, name.partition, now) : null;
  };
  const mine = <T extends CounterName>(name: T): T => ({ ...name, budget: `${game}/${name.budget}` });
  const theirs = <T extends CounterName>(name: T): T => ({ ...name, budget: name.budget.slice(game.length + 1) });
  const makePool = () =>
    world.open({
      source: store.blocks({ clock: () => now }),
      resolve: (name) => {
        const terms = resolve(theirs(name));
        return terms ? mine(terms) : null;
      },
      clock: () => now,
      liveProxies: () => 2,
    });
  let pool = await makePool();
  const epochs = [pool.epoch()];
  const seqs = new Map<string, number>();

  return {
    isShared: world.isShared,
    port: {
      acquire: async (request) => {
        const answer = await pool.acquire({
          ...request,
          instance: outer(request.instance),
          needs: request.needs.map(mine),
        });
        if (answer.granted) return { granted: true, grants: answer.grants.map(theirs) };
        return { ...answer, counter: theirs(answer.counter) };
      },
      giveBack: (request) =>
        pool.giveBack({ ...request, instance: outer(request.instance), returns: request.returns.map(mine) }),
    },
    limits: (next) => {
      limits = next;
      return Promise.resolve();
    },
    advance: (ms) => {
      now += ms;
      return world.setTime(now);
    },
    hello: async (instance) => {
      const hello = { instance: outer(instance), version: '0', subject: anEvent({}).subject };
      await store.register(hello, pool.epoch(), now);
      await pool.join(outer(instance));
    },
    charge: async (instance, charges) => {
      const seq = (seqs.get(instance) ?? 0) + 1;
      seqs.set(instance, seq);
      const counters: LedgerEvent['counters'] = charges.map((charge) => ({ ...mine(charge), held: charge.charged }));
      const event = anEvent({ instance: outer(instance), seq, counters });
      const done = await store.ingest(
        { instance: outer(instance), events: [event] },
        {
          now,
          resolve: (name) => {
            const terms = resolve(theirs(name));
            return terms ? mine(terms) : null;
          },
        },
      );
      await pool.settled(done.charges);
    },
    close: async (instance) => {
      if (!epochs.includes(pool.epoch())) epochs.push(pool.epoch());
      for (const epoch of epochs) {
        const request = { instance: outer(instance), epoch, lastSeq: seqs.get(instance) ?? 0 };
        await pool.close(outer(instance), epoch, () => store.closeInstance(request, now));
      }
    },
    end: async (instance) => {
      const request = { instance: outer(instance), epoch: ANY_EPOCH, lastSeq: seqs.get(instance) ?? 0 };
      await pool.close(outer(instance), ANY_EPOCH, () => store.closeInstance(request, now));
    },
    restart: async (how) => {
      if (how === 'stop') await pool.stop();
      else await world.lose();
      await store.sealEpoch(pool.epoch(), now);
      pool = await makePool();
      epochs.push(pool.epoch());
    },
    tend: () => pool.tend(),
    tallies: async () => {
      // First: a block that is fetched ahead meanwhile is then seen as taken, and not as lying in the pool twice.
      const balances = await pool.balances();
      const all = await store.tallies();
      for (const tally of all) checkSums(tally);
      return tallyWith(all.filter(({ budget }) => budget.startsWith(`${game}/`)).map(theirs), balances.map(theirs));
    },
    release: async () => {
      await pool.stop();
      await world.release();
      await store.close();
    },
  };
};

type Tally = Awaited<ReturnType<Awaited<ReturnType<typeof openStore>>['tallies']>>[number];

/** Roll-ups equal the rows they are made of, at every look. */
const checkSums = (tally: Tally): void => {
  const { byEpoch, charged, seeded, allocated, refunded, settled, unresolved } = tally;
  const agree =
    byEpoch.allocated === allocated &&
    byEpoch.refunded === refunded &&
    byEpoch.settled === settled &&
    byEpoch.unresolved === unresolved &&
    (seeded > 0n || charged === settled);
  if (!agree)
    throw new Error(
      `roll-ups differ from rows: ${JSON.stringify(tally, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
};
