/**
 * Faults of Redis: gone, empty, stale, another one, written by a stranger, slow. Whatever it forgets must end the epoch: the
 * pool begins anew from what PostgreSQL has left, and nothing is leased twice.
 */
import type { LinkChange } from '@tollgate/testkit';
import type { RedisPair } from '../rig/redis-pair.ts';
import type { RigRedis } from '../rig/redis.ts';
import { pause, until } from '../rig/wait.ts';
import { between, epochsSoFar, untilAllServe, type Fault, type Scene } from './scene.ts';

const pairOf = ({ rig: { redis } }: Scene): RedisPair => {
  if (redis === null) throw new Error('this rig has no Redis');
  return redis;
};

const EPOCH_MS = 15_000;

/** Does what must be noticed, and waits until it was. */
const endingEpoch = (row: number, name: string, harm: (scene: Scene, pair: RedisPair) => Promise<void>): Fault => ({
  row,
  lane: 'centre',
  name,
  needs: ['redis'],
  run: async (scene) => {
    const before = await epochsSoFar(scene);
    await harm(scene, pairOf(scene));
    await untilEpochAfter(scene, before);
    await untilAllServe(scene);
  },
});

const untilEpochAfter = (scene: Scene, before: number): Promise<void> =>
  until('a new epoch begins', EPOCH_MS, async () => (await epochsSoFar(scene)) > before, 200);

const bearing = (row: number, name: string, harm: (scene: Scene, pair: RedisPair) => Promise<void>): Fault => ({
  row,
  lane: 'centre',
  name,
  needs: ['redis'],
  run: async (scene) => {
    await harm(scene, pairOf(scene));
    await untilAllServe(scene);
  },
});

const killed = endingEpoch(6, 'Redis is killed, and starts empty', async (scene, pair) => {
  await pause(between(scene, 0, 300));
  await pair.primary().kill();
  pair.primary().nextStart('nothing');
  await pause(between(scene, 0, 1_500));
  await pair.primary().start();
});

const stale = endingEpoch(7, 'Redis is killed, and starts with what it had a while ago', async (scene, pair) => {
  await pair.primary().snapshot();
  await pause(between(scene, 500, 2_500));
  await pair.primary().kill();
  pair.primary().nextStart('snapshot');
  await pair.primary().start();
});

/** All servers are sent there. */
const sendTo = ({ rig }: Scene, port: number): void => {
  for (const server of rig.servers) server.useRedis(port);
};

const promoted = endingEpoch(8, 'a replica that lags is promoted', async (scene, pair) => {
  await pair.follow();
  pair.replication.set({ down: { isHeld: true } });
  await pause(between(scene, 500, 2_000));
  const old = pair.primary();
  await old.kill();
  pair.replication.cutAll();
  await pair.promote(pair.spare());
  pair.swap();
  pair.replication.heal();
  sendTo(scene, pair.primary().port);
  old.nextStart('nothing');
  await old.start();
});

/** Whether anybody asks B meanwhile is open: where nobody does, the epoch goes on, and rightly. */
const flapping = bearing(8, 'A, B, A: the servers are sent to a replica and back', async (scene, pair) => {
  await pair.follow();
  await pair.promote(pair.spare());
  sendTo(scene, pair.spare().port);
  await pause(between(scene, 100, 1_500));
  sendTo(scene, pair.primary().port);
  await pair.spare().command('FLUSHALL');
});

const settledAtB = endingEpoch(8, 'A, B, A: an epoch begins at B, and then another at A', async (scene, pair) => {
  const before = await epochsSoFar(scene);
  await pair.follow();
  await pair.promote(pair.spare());
  sendTo(scene, pair.spare().port);
  await untilEpochAfter(scene, before);
  const atB = await epochsSoFar(scene);
  sendTo(scene, pair.primary().port);
  await untilEpochAfter(scene, atB);
  await pair.spare().command('FLUSHALL');
});

const CHANGE_MS = 12_000;

/** Changes of balances that the epoch has had there so far. */
const changesAt = async (redis: RigRedis): Promise<number> => {
  const [key] = (await redis.command('--scan', '--pattern', 'tg:{*}:ep')).split('\n').filter(Boolean);
  return key === undefined ? 0 : Number(await redis.command('HGET', key, 'changes'));
};

/** A follows a stale B and leads again: the same process with the same epoch, and balances of a while ago. */
const rolledBack = endingEpoch(
  8,
  'A, B, A unseen: the balances are rolled back under the same process',
  async (scene, pair) => {
    await pair.follow();
    pair.replication.set({ down: { isHeld: true } });
    // What it goes back on must be something.
    const changes = await changesAt(pair.spare());
    await until('a balance changes', CHANGE_MS, async () => (await changesAt(pair.primary())) > changes);
    await pause(between(scene, 0, 1_500));
    const { servers } = scene.rig;
    for (const { toRedis } of servers) toRedis.set({ up: { isHeld: true }, accept: 'silence' });
    pair.replication.cutAll();
    await pair.promote(pair.spare());
    pair.replication.heal();
    pair.swap();
    await pair.follow();
    pair.swap();
    await pair.promote(pair.primary());
    for (const { toRedis } of servers) {
      toRedis.heal();
      toRedis.cutAll();
    }
    await pair.spare().command('FLUSHALL');
  },
);

const flushed = (how: string): Fault =>
  endingEpoch(9, `FLUSHALL ${how}`, async (scene, pair) => {
    await pause(between(scene, 0, 300));
    await pair.primary().command('FLUSHALL', how);
  });

/** Keys of counters that are in use now. */
const counterKeys = async (pair: RedisPair): Promise<readonly string[]> =>
  (await pair.primary().command('--scan', '--pattern', 'tg:{*}:*:c:*')).split('\n').filter(Boolean);

const HAND_MS = 12_000;

/** Until it is noticed: which keys are looked at next depends on what the proxies need next. */
const byHand = (name: string, words: (key: string) => readonly string[]): Fault =>
  endingEpoch(9, name, async (scene, pair) => {
    const before = await epochsSoFar(scene);
    await until('somebody looks at a key', HAND_MS, async () => {
      for (const key of await counterKeys(pair)) await pair.primary().command(...words(key));
      return (await epochsSoFar(scene)) > before;
    });
  });

const written = byHand('pool keys are written by hand', (key) => ['HSET', key, 'bal', '9000000000000']);
const deleted = byHand('pool keys are deleted', (key) => ['DEL', key]);

const evicted = bearing(9, 'Redis evicts keys under another policy', async (scene, pair) => {
  const redis = pair.primary();
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  await pause(between(scene, 300, 1_200));
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
});

const outOfMemory = bearing(9, 'Redis has no memory left, and evicts nothing', async (scene, pair) => {
  await pair.primary().command('CONFIG', 'SET', 'maxmemory', '1');
  await pause(between(scene, 500, 2_000));
  await pair.primary().command('CONFIG', 'SET', 'maxmemory', '0');
});

const functionsGone = bearing(9, 'the functions are flushed', async (_scene, pair) => {
  await pair.primary().command('FUNCTION', 'FLUSH');
});

const paused = bearing(10, 'Redis is paused', async (scene, pair) => {
  pair.primary().pause();
  await pause(between(scene, 800, 5_000));
  pair.primary().resume();
});

const stopsAnswering = bearing(10, 'Redis lets its clients wait', async (scene, pair) => {
  await pair.primary().command('CLIENT', 'PAUSE', String(between(scene, 800, 3_000)), 'ALL');
});

const clientsKilled = bearing(10, 'Redis ends the connections of its clients', async (scene, pair) => {
  for (let times = 0; times < 3; times += 1) {
    await pair.primary().command('CLIENT', 'KILL', 'TYPE', 'normal');
    await pause(between(scene, 50, 400));
  }
});

const LINKS: readonly (readonly [number, string, (scene: Scene) => LinkChange])[] = [
  [10, 'is slow', () => ({ up: { delayMs: 120 }, down: { delayMs: 120 } })],
  [10, 'is a black hole', () => ({ up: { isHeld: true }, down: { isHeld: true }, accept: 'silence' })],
  [17, 'takes questions and brings no answers', () => ({ down: { isHeld: true } })],
  [17, 'brings no questions', () => ({ up: { isHeld: true } })],
  [17, 'breaks off within answers', ({ dice }) => ({ down: { cutAfterBytes: 1 + dice.roll(4_000) } })],
  [17, 'breaks off within questions', ({ dice }) => ({ up: { cutAfterBytes: 1 + dice.roll(6_000) } })],
  [17, 'is refused', () => ({ accept: 'reset' })],
];

const badLink = ([row, name, change]: (typeof LINKS)[number]): Fault =>
  bearing(row, `the link to Redis ${name}`, async (scene) => {
    const { servers } = scene.rig;
    const some = scene.dice.percent(50) ? servers : servers.slice(0, 1);
    for (const { toRedis } of some) {
      toRedis.set(change(scene));
      if (row === 17) toRedis.cutAll();
    }
    await pause(between(scene, 700, 3_500));
    for (const { toRedis } of some) {
      toRedis.heal();
      if (scene.dice.percent(50)) toRedis.cutAll();
    }
  });

const split = (name: string, isCopy: boolean): Fault => ({
  row: 12,
  lane: 'centre',
  name,
  needs: ['redis', 'two servers'],
  run: async (scene) => {
    const pair = pairOf(scene);
    if (isCopy) {
      await pair.follow();
      await pair.promote(pair.spare());
    } else await pair.spare().command('FLUSHALL');
    scene.rig.servers[1]?.useRedis(pair.spare().port);
    await pause(between(scene, 1_000, 4_000));
    scene.rig.servers[1]?.useRedis(pair.primary().port);
    await untilAllServe(scene);
  },
});

/** Its blocks are committed, and it cannot load them; then it is killed. Who comes after loads them, or they come back. */
const diesBeforeLoad: Fault = {
  row: 13,
  lane: 'centre',
  name: 'a server is killed between the commit of a block and its loading',
  needs: ['redis'],
  run: async (scene) => {
    const [server] = scene.rig.servers;
    if (server === undefined) return;
    server.toRedis.set({ up: { isHeld: true } });
    await pause(between(scene, 100, 700));
    await server.kill();
    server.toRedis.heal();
    server.toRedis.cutAll();
    await server.start();
    await untilAllServe(scene);
  },
};

const rebuilt = endingEpoch(31, 'Redis is rebuilt while servers are started anew', async (scene, pair) => {
  await pair.primary().kill();
  await Promise.all(scene.rig.servers.slice(0, 1).map((server) => server.kill()));
  await pair.primary().start();
  await Promise.all(scene.rig.servers.map((server) => server.start()));
});

export const REDIS_FAULTS: readonly Fault[] = [
  killed,
  stale,
  promoted,
  flapping,
  settledAtB,
  rolledBack,
  flushed('SYNC'),
  flushed('ASYNC'),
  written,
  deleted,
  evicted,
  outOfMemory,
  functionsGone,
  paused,
  stopsAnswering,
  clientsKilled,
  ...LINKS.map(badLink),
  split('two servers, each at a Redis of its own: one of them empty', false),
  split('two servers, each at a Redis of its own: one a copy of the other', true),
  diesBeforeLoad,
  rebuilt,
];
