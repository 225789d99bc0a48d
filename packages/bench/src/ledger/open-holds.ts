/** Whether a hold, and the lease it is drawn on, get dearer with the number of holds that are open already. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeEscrow } from '@tollgate/ledger/escrow';
import type { Escrow, Hold } from '@tollgate/ledger/escrow';
import { makeMemoryBlockSource, makeMemoryPool } from '@tollgate/ledger/pool';
import { openFileDisk, openSpool } from '@tollgate/ledger/spool';
import { median, percentile } from '../statistics.ts';
import { anIntent } from './an-attempt.ts';
import { most } from './finding.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

const FEW = 10;
const MANY = 10_000;
const CALLS = 5_000;
const MAX = 9_000_000_000_000_000n;
const AMOUNT = 210_000n;
const NAME = { budget: 'rich/bench', limit: 'cost', partition: '' };

export const measureOpenHolds = async (world: World): Promise<readonly Finding[]> => {
  const few = await openEscrow(world, 'few');
  const many = await openEscrow(world, 'many');
  try {
    for (let open = 0; open < FEW; open += 1) await few.hold();
    for (let open = 0; open < MANY; open += 1) await many.hold();
    const ratios: number[] = [];
    const micros: number[] = [];
    const count = Math.max(500, CALLS * world.scale);
    // The first round is the compiler's.
    for (let round = 0; round <= world.rounds; round += 1) {
      const [of10, of10000] = [await few.timeCalls(count), await many.timeCalls(count)];
      if (round === 0) continue;
      ratios.push(of10000 / of10);
      micros.push(of10000);
    }
    return [
      {
        what: 'hold and settlement with 10,000 holds open, × with 10',
        value: median(ratios),
        goal: most(1.2),
        beside: `p50 ${median(micros).toFixed(1)} µs, both records on disk; a tenth of the calls fetch a lease`,
        next: 'profile what grows with the open holds',
      },
    ];
  } finally {
    few.close();
    many.close();
  }
};

interface Caller {
  hold(): Promise<Hold>;
  /** Microseconds of one hold with its settlement, p50. */
  timeCalls(count: number): Promise<number>;
  close(): void;
}

const openEscrow = async ({ dir }: World, name: string): Promise<Caller> => {
  const folder = join(dir, `open-holds-${name}`);
  mkdirSync(folder);
  const disk = openFileDisk(folder);
  const spool = openSpool({ disk });
  const source = makeMemoryBlockSource();
  const window = { id: 'bench', start: 0, end: null };
  const pool = await makeMemoryPool({
    source,
    clock: Date.now,
    liveProxies: () => 1,
    resolve: (counter) => ({ ...counter, unit: 'cost', max: MAX, window, sliding: null }),
  });
  source.register(name);
  await pool.join(name);
  const escrow = makeEscrow({
    port: pool,
    session: {
      ship: (events) => Promise.resolve(events.at(-1)?.seq ?? 0),
      closeEpoch: () => Promise.resolve(),
    },
    spool,
    clock: () => performance.now(),
    now: Date.now,
    timers: { after: (ms, act) => clearing(setTimeout(act, ms)) },
    random: Math.random,
    instance: name,
  });
  escrow.enterEpoch(pool.epoch());
  let seq = 0;
  const hold = async (): Promise<Hold> => {
    seq += 1;
    const { head } = anIntent(name, seq);
    // A limit small to the lease's size (0.05 % of it): every tenth call or so needs another one.
    const needs = [{ ...NAME, unit: 'cost' as const, count: 'Total' as const, amount: AMOUNT, max: 4000n * AMOUNT }];
    const answer = await escrow.openHold({ needs, audit: [], soft: [], waitMs: 0, head });
    if (!answer.held) throw new Error(`refused: ${answer.denied.reason}`);
    return answer.hold;
  };
  return {
    hold,
    timeCalls: async (count) => {
      const micros: number[] = [];
      for (let call = 0; call < count; call += 1) {
        const began = performance.now();
        settle(escrow, await hold());
        micros.push((performance.now() - began) * 1000);
      }
      return percentile(micros, 50);
    },
    close: () => {
      spool.close();
      disk.close();
    },
  };
};

const settle = (escrow: Escrow, hold: Hold): void =>
  escrow.settle(hold, {
    settle: 'usage',
    modelAnswered: null,
    usage: { input: 20, output: 150 },
    status: 200,
    charged: AMOUNT,
    counterCharge: () => AMOUNT,
  });

const clearing = (timer: NodeJS.Timeout): (() => void) => {
  timer.unref();
  return () => clearTimeout(timer);
};
