/** What a fault gets to work with, and how it sees that all is well again. */
import type { Dice } from '../../testing/dice.ts';
import type { Load } from '../load/load.ts';
import type { RigProxy } from '../rig/proxy.ts';
import type { Rig } from '../rig/rig.ts';
import type { RigServer } from '../rig/server.ts';
import { until } from '../rig/wait.ts';

export interface Scene {
  readonly rig: Rig;
  readonly load: Load;
  readonly dice: Dice;
}

export type Need = 'redis' | 'two servers' | 'own disk';

export type Lane = 'edge' | 'centre';

export interface Fault {
  /** Of the fault matrix in docs/accounting.md. */
  readonly row: number;
  readonly name: string;
  /** One of each lane at a time: what is done to proxies, their callers and providers, and what is done behind them. */
  readonly lane: Lane;
  readonly needs?: readonly Need[];
  /** What it looks for is only sure while nothing else is wrong. */
  readonly isAlone?: boolean;
  /** What the provider has sent may be lost on its way meanwhile: nobody can know what a caller who left had then cost. */
  readonly losesAnswers?: boolean;
  /** Transactions that were committed may be lost meanwhile, and with them what they said of calls. It is the last of its round. */
  readonly losesCommits?: boolean;
  /** Does the harm, looks at what must be seen meanwhile, and heals it. Throws where something else was seen. */
  run(scene: Scene): Promise<void>;
}

export const anyProxy = ({ rig, dice }: Scene): RigProxy => oneOf(dice, rig.proxies);
export const anyServer = ({ rig, dice }: Scene): RigServer => oneOf(dice, rig.servers);

const oneOf = <T>(dice: Dice, all: readonly T[]): T => {
  const found = all[dice.roll(all.length)];
  if (found === undefined) throw new Error('the rig has none of them');
  return found;
};

/** The fault beside it may keep the servers away for half a minute. */
const SERVES_MS = 45_000;

/** It serves: answers come, or the refusal of a budget that is used up, which only a ledger that answers can give. */
export const untilServes = async ({ load }: Scene, proxy: RigProxy, withinMs = SERVES_MS): Promise<void> => {
  const from = load.now();
  await until(`${proxy.name} serves again`, withinMs, () =>
    load
      .since(from, proxy.name)
      .some(({ status, refusal }) => status === 200 || refusal === 'budget_exhausted' || refusal === 'budget_held'),
  );
};

export const untilAllServe = async (scene: Scene): Promise<void> => {
  await Promise.all(scene.rig.proxies.map((proxy) => untilServes(scene, proxy)));
};

/** Epochs that the ledger has had so far. */
export const epochsSoFar = async ({ rig: { postgres, database } }: Scene): Promise<number> => {
  const [row] = await postgres.query<{ readonly count: number }>(database, 'SELECT count(*) AS count FROM epoch');
  return row?.count ?? 0;
};

/** A number of milliseconds between the two. */
export const between = ({ dice }: Scene, least: number, most: number): number => least + dice.roll(most - least);
