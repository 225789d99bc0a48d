import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '../lease-port.ts';
import { counterKeyOf } from '../pool/counter-key.ts';
import type { LeaseRequest, PoolEpoch } from '../pool/pool-state.ts';
import { makeLibrary } from './library.ts';
import { openRedisPoolState, type RedisPoolState, type RedisPoolStateOptions } from './redis-pool-state.ts';
import { openRedisHand, type RedisHand } from './testing/moved-clock.ts';
import { startRedis, type TestRedis } from './testing/start-redis.ts';

/** The adapter by itself: what it does when Redis is not as it should be. The rules are in the contract suites. */
const MAX = 2n ** 53n - 1n;
const NAME = { budget: 'team/pool', limit: 'total', partition: '' };
const KEY = counterKeyOf(NAME, 'Total');

let redis: TestRedis;
let hand: RedisHand;
const opened: RedisPoolState[] = [];

beforeAll(async () => {
  redis = await startRedis();
  hand = await openRedisHand(redis.url);
}, 60_000);

afterAll(async () => {
  hand.release();
  await redis.stop();
});

afterEach(() => {
  for (const state of opened.splice(0)) state.release();
});

const open = async (options: Partial<RedisPoolStateOptions> = {}): Promise<RedisPoolState> => {
  const state = await openRedisPoolState({
    url: redis.url,
    organisation: randomUUID(),
    token: randomUUID(),
    ...options,
  });
  opened.push(state);
  return state;
};

const begun = async (options: Partial<RedisPoolStateOptions> = {}) => {
  const state = await open(options);
  const epoch: PoolEpoch = { id: randomUUID(), number: 1, library: state.library };
  expect(await state.open(epoch)).toEqual({ kind: 'opened' });
  expect(await state.admit(epoch, 'a', 0)).toEqual({ kind: 'admitted' });
  return { state, epoch };
};

const block = (amount: bigint, blockId = '1') => ({
  key: KEY,
  blockId,
  amount,
  windowEnd: null,
  max: MAX,
  free: 0n,
});

const ask = (seq: number, need: bigint, part: Partial<LeaseRequest> = {}): LeaseRequest => ({
  instance: 'a',
  seq,
  asked: `total=${String(need)}`,
  lines: [{ key: KEY, window: { id: 'Total', start: 0, end: null }, max: MAX, need, prefer: need }],
  liveProxies: 1,
  ...part,
});

describe('the pool in Redis', () => {
  it('keeps amounts exact up to 2^53 - 1, and refuses what is more', async () => {
    const { state, epoch } = await begun();
    expect(await state.load(epoch, block(MAX - 1n))).toBe('loaded');
    expect(await state.load(epoch, block(1n, '2'))).toBe('loaded');
    await expect(state.load(epoch, block(1n, '3'))).rejects.toMatchObject({ code: 'invalid_amount' });
    expect(await state.lease(epoch, ask(1, MAX - 2n))).toMatchObject({
      grants: [{ amount: MAX - 2n }],
      balances: [{ pooled: 2n }],
    });
    await state.giveBack(epoch, { instance: 'a', seq: 1, asked: 'x', returns: [{ key: KEY, amount: MAX - 2n }] });
    // A share is rounded down, also where a quotient of doubles would be rounded up.
    const wished = ask(2, 1n, { liveProxies: 10_000 });
    const answer = await state.lease(epoch, {
      ...wished,
      lines: wished.lines.map((line) => ({ ...line, prefer: MAX })),
    });
    expect(answer).toMatchObject({ grants: [{ amount: MAX / 20_000n }] });
    expect(await state.page(epoch, 0)).toMatchObject({
      counters: [{ pooled: MAX - MAX / 20_000n, leased: MAX / 20_000n }],
    });
    await expect(state.lease(epoch, ask(3, MAX + 1n))).rejects.toMatchObject({ code: 'invalid_amount' });
  });

  it('is chosen its windows by the time of Redis, which it tells with every answer', async () => {
    const times: number[] = [];
    const { state, epoch } = await begun({ onTime: (ms) => times.push(ms) });
    const future = ask(1, 0n);
    const start = Date.now() + 3_600_000;
    const answer = await state.lease(epoch, {
      ...future,
      lines: future.lines.map((line) => ({ ...line, window: { id: 'later', start, end: start + 1 } })),
    });
    expect(answer.kind).toBe('window');
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(Math.abs((times.at(-1) ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('says that it is lost, and not that it is empty, where keys are missing or changed', async () => {
    const losses: readonly ((id: string) => Promise<unknown>)[] = [
      (id) => hand.run('DEL', `${id}:c:${KEY}`),
      (id) => hand.run('HSET', `${id}:c:${KEY}`, 'bal', '99'),
      () => hand.run('FUNCTION', 'FLUSH'),
      () => hand.run('FLUSHALL'),
    ];
    for (const lose of losses) {
      const organisation = randomUUID();
      const { state, epoch } = await begun({ organisation });
      await state.load(epoch, block(10n));
      await lose(`tg:{${organisation}}:${epoch.id}`);
      expect(await state.lease(epoch, ask(1, 1n))).toEqual({ kind: 'epoch' });
      const next = { id: randomUUID(), number: 2, library: state.library };
      expect(await state.open(next)).toEqual({ kind: 'opened' });
      expect(await state.isOpen(next)).toBe(true);
    }
  });

  it('opens an epoch once, and none that is older than what was here', async () => {
    const { state, epoch } = await begun();
    await state.load(epoch, block(10n));
    expect(await state.open(epoch)).toEqual({ kind: 'opened' });
    expect(await state.page(epoch, 0)).toMatchObject({ counters: [{ pooled: 10n }] });
    const other = { ...epoch, id: randomUUID() };
    expect(await state.open(other)).toEqual({ kind: 'newer', number: 1 });
    await hand.run('FLUSHALL');
    // A question that was on its way when all was lost must not bring the epoch back to life, empty.
    expect(await state.open(epoch)).toEqual({ kind: 'lost' });
    expect(await state.open(other)).toEqual({ kind: 'newer', number: 1 });
    expect(await state.open({ ...other, number: 2 })).toEqual({ kind: 'opened' });
  });

  it('takes a block, a refund and a give-back once, however late the copy', async () => {
    const { state, epoch } = await begun();
    expect(await state.load(epoch, block(10n))).toBe('loaded');
    const taken = { kind: 'drained', drained: { id: 'd1', returns: [{ ...NAME, windowId: 'Total', amount: 10n }] } };
    expect(await state.drain(epoch, 'd1', [{ key: KEY, max: null }])).toEqual(taken);
    expect(await state.load(epoch, block(10n))).toBe('known');
    await state.load(epoch, block(5n, '2'));
    expect(await state.drain(epoch, 'd1', [{ key: KEY, max: null }])).toEqual(taken);
    expect(await state.page(epoch, 0)).toMatchObject({ drains: [taken.drained], counters: [{ pooled: 5n }] });
    await state.refunded(epoch, 'd1');
    await state.refunded(epoch, 'd1');
    expect(await state.page(epoch, 0)).toMatchObject({ drains: [] });
  });

  it('remembers a bounded number of replies', async () => {
    const { state, epoch } = await begun();
    await state.load(epoch, block(10_000n));
    for (let seq = 1; seq <= 600; seq += 1) await state.lease(epoch, ask(seq, 1n));
    expect(await state.lease(epoch, ask(1, 1n))).toEqual({ kind: 'seq_too_old' });
    expect(await state.lease(epoch, ask(600, 1n))).toMatchObject({ kind: 'granted', balances: null });
    const key = (await hand.keys()).find((name) => name.includes(epoch.id) && name.endsWith(':i:a')) ?? '';
    // 512 replies, the highest number, and what is in hand.
    expect(await hand.run('HLEN', key)).toBe(514);
  });

  it('counts the proxies of all servers that were heard of lately', async () => {
    const organisation = randomUUID();
    const [one, two] = [await open({ organisation }), await open({ organisation })];
    expect(await one.beat('one', 3)).toBe(3);
    expect(await two.beat('two', 4)).toBe(7);
    await two.leave('two');
    expect(await one.beat('one', 2)).toBe(2);
    await hand.run('HSET', `tg:{${organisation}}:servers`, 'silent', '1000 50');
    expect(await one.beat('one', 2)).toBe(2);
  });

  it('removes what an earlier epoch left, some at a time', async () => {
    const { state, epoch } = await begun();
    for (let n = 0; n < 600; n += 1) await state.load(epoch, { ...block(1n), key: counterKeyOf(NAME, String(n)) });
    await state.lease(epoch, ask(1, 0n));
    const next = { id: randomUUID(), number: 2, library: state.library };
    await state.open(next);
    expect(await state.sweep(next, [epoch.id])).toBe(false);
    expect(await state.sweep(next, [epoch.id])).toBe(true);
    expect((await hand.keys()).filter((key) => key.includes(epoch.id))).toEqual([]);
  });

  it('tells all counters, page by page', async () => {
    const { state, epoch } = await begun();
    for (let n = 0; n < 501; n += 1) await state.load(epoch, { ...block(1n), key: counterKeyOf(NAME, String(n)) });
    const first = await state.page(epoch, 0);
    expect(first).toMatchObject({ next: 500 });
    expect(await state.page(epoch, 500)).toMatchObject({ next: null, counters: [{ pooled: 1n }] });
  });

  it('serves two versions beside each other: each epoch by the library it names', async () => {
    const organisation = randomUUID();
    const { state, epoch } = await begun({ organisation });
    await state.load(epoch, block(10n));
    const newer = await open({ organisation, library: makeLibrary({ now: 'local function now() return 5 end' }) });
    expect(newer.library).not.toBe(state.library);
    expect(await newer.isOpen(epoch)).toBe(true);
    expect(await newer.lease(epoch, ask(1, 4n))).toMatchObject({ kind: 'granted' });
    const next = { id: randomUUID(), number: 2, library: newer.library };
    expect(await newer.open(next)).toEqual({ kind: 'opened' });
    expect(await state.isOpen(epoch)).toBe(false);
    expect(await state.isOpen(next)).toBe(true);
  });
});

describe('a Redis that is not as it should be', () => {
  it('is refused where it evicts keys', async () => {
    await hand.run('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(open()).rejects.toMatchObject({ name: 'RedisUnsuitable', reason: 'eviction' });
    } finally {
      await hand.run('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('is refused where its user may not call functions, and says so', async () => {
    await hand.run('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+info', '+ping', '+hello');
    const url = redis.url.replace('redis://', 'redis://reader:secret@');
    await expect(open({ url })).rejects.toBeInstanceOf(LedgerUnavailable);
  });

  it('is unavailable where nobody listens', async () => {
    await expect(open({ url: 'redis://127.0.0.1:1', connectMs: 200 })).rejects.toMatchObject({
      code: 'ledger_unavailable',
    });
  });

  it('answers too late: the call fails, what it did counts once, and the retry hears of it', async () => {
    const { state, epoch } = await begun({ commandMs: 150 });
    await state.load(epoch, block(10n));
    redis.pause();
    try {
      await expect(state.lease(epoch, ask(1, 4n))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    } finally {
      redis.resume();
    }
    let answer = await state.lease(epoch, ask(1, 4n)).catch(() => null);
    while (answer === null) answer = await state.lease(epoch, ask(1, 4n)).catch(() => null);
    expect(answer).toMatchObject({ kind: 'granted', grants: [{ amount: 4n }] });
    expect(await state.page(epoch, 0)).toMatchObject({ counters: [{ pooled: 6n, leased: 4n }] });
  });

  it('comes back empty: nothing was queued meanwhile, and the epoch is lost', async () => {
    const faults: string[] = [];
    const { state, epoch } = await begun({ onFault: (_fault, doing) => faults.push(doing) });
    await redis.kill();
    await expect(state.lease(epoch, ask(1, 1n))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await redis.start();
    await state.met();
    expect(await state.lease(epoch, ask(1, 1n))).toEqual({ kind: 'epoch' });
    const next = { id: randomUUID(), number: 2, library: state.library };
    expect(await state.open(next)).toEqual({ kind: 'opened' });
    expect(await state.admit(next, 'a', 0)).toEqual({ kind: 'admitted' });
    expect(faults).toContain('talk to Redis');
  });

  it('is a replica now: nothing is written there, and the connection is made anew', async () => {
    const { state, epoch } = await begun();
    await hand.run('REPLICAOF', '127.0.0.1', '1');
    try {
      await expect(state.lease(epoch, ask(1, 0n))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    } finally {
      await hand.run('REPLICAOF', 'NO', 'ONE');
    }
    await state.met();
    expect(await state.isOpen(epoch)).toBe(true);
  });

  it('forgets what its libraries remember: run id and count of changes fence instead', async () => {
    const organisation = randomUUID();
    const { state, epoch } = await begun({ organisation, fence: 'connection' });
    expect(state.fence).toBe('connection');
    await state.load(epoch, block(10n));
    expect(await state.isOpen(epoch)).toBe(true);
    // Rolled back behind what this server has seen.
    await hand.run('HSET', `tg:{${organisation}}:ep`, 'changes', '0');
    expect(await state.isOpen(epoch)).toBe(false);
    // Another life of the server.
    await hand.run('HSET', `tg:{${organisation}}:ep`, 'changes', '9', 'run', 'another');
    expect(await state.isOpen(epoch)).toBe(false);
  });
});
