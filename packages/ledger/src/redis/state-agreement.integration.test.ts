import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkAgreement } from '../contract/agreement.ts';
import { START } from '../contract/memory-harness.ts';
import {
  memoryUnderTest,
  playScript,
  STATE_SCRIPT,
  type StateStep,
  type StateUnderTest,
} from '../contract/state-script.ts';
import { makeMemoryPoolState } from '../pool/memory-pool-state.ts';
import { makeLibrary } from './library.ts';
import { openRedisPoolState, type RedisPoolState } from './redis-pool-state.ts';
import { openRedisHand, type RedisHand } from './testing/moved-clock.ts';
import { startRedis, type TestRedis } from './testing/start-redis.ts';

/** `make test-adapters` plays 100,000 of them. */
const COUNT = Number(process.env['ADAPTER_SEQUENCES'] ?? 2_000);
const SEED = Number(process.env['ADAPTER_SEED'] ?? 1);
const WORKERS = 12;

interface Worker extends StateUnderTest {
  readonly state: RedisPoolState;
  readonly hands: RedisHand;
  played: number;
}

let redis: TestRedis;
const workers: Worker[] = [];

beforeAll(async () => {
  redis = await startRedis();
  for (let at = 0; at < WORKERS; at += 1) workers.push(await makeWorker(at));
}, 60_000);

afterAll(async () => {
  for (const { state, hands } of workers) {
    state.release();
    hands.release();
  }
  await redis.stop();
});

/** Each has an organisation and a clock of its own, so that they do not meet. */
const makeWorker = async (at: number): Promise<Worker> => {
  const organisation = randomUUID();
  const clock = `tg:clock:${String(at)}`;
  const hands = await openRedisHand(redis.url);
  await hands.run('SET', clock, String(START));
  const state = await openRedisPoolState({
    url: redis.url,
    organisation,
    token: randomUUID(),
    commandMs: 20_000,
    library: makeLibrary({ now: `local function now() return tonumber(redis.call('GET', '${clock}')) end` }),
  });
  return {
    state,
    hands,
    played: 0,
    setTime: async (ms) => {
      await hands.run('SET', clock, String(ms));
    },
    lose: async () => {
      await hands.run('DEL', `tg:{${organisation}}:ep`);
    },
    hand: async (key, pooled) => {
      const epoch = String(await hands.run('HGET', `tg:{${organisation}}:ep`, 'id'));
      const name = `tg:{${organisation}}:${epoch}:c:${key}`;
      if ((await hands.run('EXISTS', name)) === 1) await hands.run('HSET', name, 'bal', String(pooled));
    },
  };
};

const agree = async (worker: Worker, steps: readonly StateStep[]): Promise<void> => {
  // Above every number that an earlier sequence came to.
  worker.played += 10;
  const epoch = { id: randomUUID(), number: worker.played, library: worker.state.library };
  let now = START;
  const memory = memoryUnderTest(makeMemoryPoolState({ clock: () => now }), (ms) => {
    now = ms;
  });
  const expected = await playScript(memory, steps, epoch);
  const answers = await playScript(worker, steps, epoch);
  // The cheap look first: there are very many.
  if (!isDeepStrictEqual(answers, expected)) expect(answers).toEqual(expected);
};

const tidy = async (): Promise<void> => {
  await workers[0]?.hands.run('FLUSHDB');
};

describe('the pool in Redis', () => {
  it(
    `answers ${String(COUNT)} random sequences as the one in memory does`,
    () => checkAgreement({ cases: STATE_SCRIPT, count: COUNT, seed: SEED, workers, agree, tidy }),
    60_000 + COUNT * 20,
  );
});
