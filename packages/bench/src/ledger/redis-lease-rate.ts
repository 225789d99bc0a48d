/** Leases a second through Redis: sixteen connections, one lease under way on each, as sixteen busy servers would ask. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { counterKeyOf } from '@tollgate/ledger/pool';
import type { LeaseLine, PoolEpoch, PoolState } from '@tollgate/ledger/pool';
import { openRedisPoolState } from '@tollgate/ledger/redis';
import { cpuMicros } from '../process-stats.ts';
import { median } from '../statistics.ts';
import { least, most } from './finding.ts';
import type { Finding, Goal } from './finding.ts';
import type { World } from './world.ts';

const CONNECTIONS = 16;
const SECONDS = 1;
const MAX = 9_000_000_000_000_000n;
const NEED = 210_000n;
/** Instances with something in hand: what grows with the proxies and with what they have open. */
const FEW = 10;
const MANY = 10_000;

export const measureRedisLeases = async (world: World): Promise<readonly Finding[]> => {
  const ping = await pings(world);
  return [
    ...(await rates(world, { counters: 1, goal: least(25_000), ping })),
    ...(await rates(world, { counters: 4, goal: least(10_000), ping })),
    await growth(world),
  ];
};

interface RateOptions {
  readonly counters: number;
  readonly goal: Goal;
  readonly ping: number;
}

const rates = async (world: World, { counters, goal, ping }: RateOptions): Promise<readonly Finding[]> => {
  const pool = await openPool(world, counters);
  try {
    await pool.leaseFor(SECONDS * 1000 * world.scale);
    const all: number[] = [];
    const redisCpu: number[] = [];
    const ownCpu: number[] = [];
    for (let round = 0; round < world.rounds; round += 1) {
      const began = performance.now();
      const [redisBefore, ownBefore] = [cpuMicros([world.redis.pid]), process.cpuUsage()];
      const perSecond = await pool.leaseFor(SECONDS * 1000 * world.scale);
      const own = process.cpuUsage(ownBefore);
      const leases = (perSecond * (performance.now() - began)) / 1000;
      all.push(perSecond);
      redisCpu.push((cpuMicros([world.redis.pid]) - redisBefore) / leases);
      ownCpu.push((own.user + own.system) / leases);
    }
    return [
      {
        what: `leases a second through Redis, 16 connections, ${counters === 1 ? 'one counter' : `${String(counters)} counters`}`,
        value: median(all),
        goal,
        beside: `${(median(all) / ping).toFixed(2)} × the PINGs of redis-benchmark (${Math.round(ping).toLocaleString('en-US')} a second, as many connections); a lease takes ${median(redisCpu).toFixed(1)} µs of Redis's CPU and ${median(ownCpu).toFixed(1)} µs of the asking process's`,
        next: 'fewer Lua calls a lease; a client that does less a command',
      },
    ];
  } finally {
    pool.close();
  }
};

/** The same lease where ten instances have something in hand, and where ten thousand have; by turns, since the machine is shared. */
const growth = async (world: World): Promise<Finding> => {
  const few = await openPool(world, 1);
  const many = await openPool(world, 1);
  try {
    await few.fill(FEW);
    await many.fill(MANY);
    const ms = SECONDS * 500 * world.scale;
    const ratios: number[] = [];
    // The first round is the compiler's.
    for (let round = 0; round <= world.rounds; round += 1) {
      const ratio = (await few.leaseFor(ms)) / (await many.leaseFor(ms));
      if (round > 0) ratios.push(ratio);
    }
    return {
      what: 'a lease through Redis with leases in 10,000 hands, × in 10',
      value: median(ratios),
      goal: most(1.2),
      beside: 'by leases a second, in turns',
      next: 'profile what grows with the instances',
    };
  } finally {
    few.close();
    many.close();
  }
};

interface LeasePool {
  /** Leases a second over so many milliseconds. */
  leaseFor(ms: number): Promise<number>;
  /** So many more instances take a lease. */
  fill(instances: number): Promise<void>;
  close(): void;
}

let pools = 0;

const openPool = async ({ redis }: World, counters: number): Promise<LeasePool> => {
  pools += 1;
  // Each is an installation of its own: they may be open side by side.
  const organisation = `bench-${String(pools)}`;
  const states = await Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      openRedisPoolState({ url: redis.url, organisation, token: randomUUID() }),
    ),
  );
  const close = (): void => {
    for (const state of states) state.release();
  };
  try {
    const [first] = states;
    if (first === undefined) throw new Error('no connection to Redis');
    const epoch: PoolEpoch = { id: randomUUID(), number: 1, library: first.library };
    await first.open(epoch);
    const lines = await load(first, epoch, counters);
    const lease = async (state: PoolState, instance: string, seq: number): Promise<void> => {
      const asked = `${instance} ${String(seq)}`;
      const answer = await state.lease(epoch, { instance, seq, asked, lines, liveProxies: CONNECTIONS });
      if (answer.kind !== 'granted') throw new Error(`the lease was answered ${answer.kind}`);
    };
    const askers = await Promise.all(
      states.map(async (state, index) => ({
        state,
        instance: await join(state, epoch, `asker-${String(index)}`),
        seq: 0,
      })),
    );
    let filled = 0;
    return {
      close,
      leaseFor: async (ms) => {
        const began = performance.now();
        let granted = 0;
        await Promise.all(
          askers.map(async (asker) => {
            while (performance.now() - began < ms) {
              asker.seq += 1;
              await lease(asker.state, asker.instance, asker.seq);
              granted += 1;
            }
          }),
        );
        return granted / ((performance.now() - began) / 1000);
      },
      fill: async (instances) => {
        await Promise.all(
          states.map(async (state, at) => {
            for (let index = at; index < instances; index += CONNECTIONS)
              await lease(state, await join(state, epoch, `filler-${String(filled)}-${String(index)}`), 1);
          }),
        );
        filled += 1;
      },
    };
  } catch (error) {
    close();
    throw error;
  }
};

const join = async (state: PoolState, epoch: PoolEpoch, instance: string): Promise<string> => {
  const answer = await state.admit(epoch, instance, null);
  if (answer.kind === 'stranger') await state.admit(epoch, instance, answer.closes);
  return instance;
};

const load = async (state: PoolState, epoch: PoolEpoch, counters: number): Promise<readonly LeaseLine[]> => {
  const window = { id: 'bench', start: 0, end: null };
  const lines: LeaseLine[] = [];
  for (let index = 0; index < counters; index += 1) {
    const key = counterKeyOf({ budget: 'four/bench', limit: `limit-${String(index)}`, partition: '' }, window.id);
    await state.load(epoch, {
      key,
      blockId: `block-${String(index)}`,
      amount: MAX,
      windowEnd: null,
      max: MAX,
      free: 0n,
    });
    lines.push({ key, window, max: MAX, need: NEED, prefer: 2n * NEED });
  }
  return lines;
};

const run = promisify(execFile);

/** What this Redis does at best on this machine: round trips with nothing in them. */
const pings = async ({ redis, scale }: World): Promise<number> => {
  const { hostname, port } = new URL(redis.url);
  const count = String(Math.max(5_000, Math.round(100_000 * scale)));
  const { stdout } = await run('redis-benchmark', [
    '-h',
    hostname,
    '-p',
    port,
    '-c',
    String(CONNECTIONS),
    '-n',
    count,
    '-t',
    'ping_mbulk',
    '--csv',
  ]);
  return Number(/"PING_MBULK","([\d.]+)"/.exec(stdout)?.[1] ?? NaN);
};
