import type { CounterName } from '../counter.ts';
import { makeMemoryBlockSource } from '../pool/memory-block-source.ts';
import type { Pool } from '../pool/pool.ts';
import { ANY_EPOCH } from '../session.ts';
import { contractTerms, type ContractLimit } from './contract-terms.ts';
import { tallyWith } from './contract-tallies.ts';
import type { LedgerHarness } from './ledger-contract.ts';
import { makeMemoryWorld, type PoolWorld } from './pool-world.ts';

/** The contract's harness over pools of some kind and the memory block source. */
export const makeMemoryHarness = async (
  makeWorld: () => Promise<PoolWorld> = makeMemoryWorld,
): Promise<LedgerHarness> => {
  const world = await makeWorld();
  const source = makeMemoryBlockSource();
  let now = START;
  let limits: readonly ContractLimit[] = [];
  const resolve = (name: CounterName) => {
    const limit = limits.find((candidate) => candidate.budget === name.budget && candidate.limit === name.limit);
    return limit ? contractTerms(limit, name.partition, now) : null;
  };
  const open = () => world.open({ source, resolve, clock: () => now, liveProxies: () => 2 });
  let pool: Pool = await open();
  const epochs = [pool.epoch()];
  const noted = (): string => {
    if (epochs.at(-1) !== pool.epoch()) epochs.push(pool.epoch());
    return pool.epoch();
  };
  return {
    isShared: world.isShared,
    port: { acquire: (request) => pool.acquire(request), giveBack: (request) => pool.giveBack(request) },
    limits: (next) => {
      limits = next;
      return Promise.resolve();
    },
    advance: (ms) => {
      now += ms;
      return world.setTime(now);
    },
    hello: (instance) => {
      source.register(instance);
      return pool.join(instance);
    },
    charge: (instance, charges) => {
      const of = charges.map((charge) => ({ ...charge, instance }));
      source.settle(of);
      return pool.settled(of);
    },
    close: async (instance) => {
      noted();
      for (const epoch of epochs) {
        await pool.close(instance, epoch, () => Promise.resolve(source.closeInstance(instance, epoch)));
      }
    },
    end: (instance) =>
      pool.close(instance, ANY_EPOCH, () => Promise.resolve(source.closeInstance(instance, ANY_EPOCH))),
    restart: async (how) => {
      const last = noted();
      if (how === 'stop') await pool.stop();
      else await world.lose();
      source.sealEpoch(last);
      pool = await open();
      noted();
    },
    tend: () => pool.tend(),
    tallies: async () => {
      const balances = await pool.balances();
      return tallyWith(source.tallies(), balances);
    },
    release: async () => {
      await pool.stop();
      await world.release();
    },
  };
};

/** A day's first millisecond. */
export const START = 1_795_219_200_000;
