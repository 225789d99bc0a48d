import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import { encodeEvents } from '@tollgate/ledger/wire';
import type { LedgerEvent } from '@tollgate/ledger';
import { openStore, type Store } from '@tollgate/store';
import { anEvent, startPostgres, type TestPostgres } from '@tollgate/store/testing';
import { aBudget } from './testing/a-budget.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const SUBJECT = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };
const DAILY = { budget: 'default/pool', limit: 'daily', partition: '' };
const DAY = 86_400_000;

describe('server', () => {
  let postgres: TestPostgres;
  let store: Store;
  let clock: { now: number };
  let test: TestServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    store = await openStore({ connectionString: await postgres.database(), max: 5 });
    clock = { now: START };
    test = await startTestServer(store, clock);
    await test.server.setResources({ budgets: [aBudget()], routes: [] });
  });
  afterEach(async () => {
    await test.server.close();
    await store.close();
  });

  const hello = (instance = 'a') =>
    test.ask('POST', '/v1/hello', { contract: 1, instance, version: '1', subject: SUBJECT });
  const lease = (seq: number, need: string, instance = 'a') =>
    test.ask('POST', '/v1/lease', { instance, seq, needs: [{ ...DAILY, need, prefer: need }] });
  const ship = (...events: readonly Partial<LedgerEvent>[]) =>
    test.ask(
      'POST',
      '/v1/events',
      encodeEvents({ instance: 'a', events: events.map((event) => anEvent({ instance: 'a', ...event })) }),
    );
  const charge = (charged: bigint, epoch: string, windowId = '2026-11-21T00:00Z/Day') => ({
    ...DAILY,
    windowId,
    epoch,
    held: charged,
    charged,
  });

  it('takes a call from hello to the bill', async () => {
    const greeting = await hello();
    expect(greeting.json).toEqual({
      organisation: store.organisation,
      epoch: test.pool.epoch(),
      subject: SUBJECT,
      liveProxies: 1,
      ledgerTimeMs: START,
    });
    const epoch = test.pool.epoch();
    expect((await lease(1, '300000000')).json).toMatchObject({
      granted: true,
      grants: [
        {
          ...DAILY,
          epoch,
          window: { id: '2026-11-21T00:00Z/Day', start: START, end: START + DAY },
          remainingMs: DAY,
          amount: '300000000',
          left: '700000000',
        },
      ],
    });
    expect(
      (
        await ship({
          seq: 1,
          requestId: 'req-1',
          charged: 250_000_000n,
          held: 300_000_000n,
          counters: [charge(250_000_000n, epoch)],
        })
      ).json,
    ).toEqual({ ack: 1 });
    expect(
      (
        await test.ask('POST', '/v1/give-back', {
          instance: 'a',
          seq: 1,
          returns: [{ ...DAILY, leaseId: 'x', windowId: '2026-11-21T00:00Z/Day', epoch, amount: '50000000' }],
        })
      ).status,
    ).toBe(204);
    expect((await test.ask('GET', '/v1/explain/req-1')).json).toMatchObject({
      requestId: 'req-1',
      charged: '250000000',
      attempts: [
        {
          settle: 'usage',
          held: '300000000',
          priceRow: { model: 'openai/gpt-4o-mini' },
          counters: [{ limit: 'daily', charged: '250000000' }],
        },
      ],
    });
    expect((await test.ask('GET', '/v1/usage?by=model')).json).toMatchObject({
      by: 'model',
      rows: [{ key: 'openai/gpt-4o-mini', charged: '250000000', calls: '1' }],
    });
    expect((await test.ask('GET', '/v1/budgets')).json).toMatchObject({
      asOf: new Date(START).toISOString(),
      budgets: [
        {
          columns: {
            namespace: 'default',
            name: 'pool',
            enforcement: 'Hard',
            spent: '$0.25',
            limit: '$1.00',
            used: '25%',
            burnPerHour: '$1.50',
            exhausts: 'in 30m',
            ready: 'True',
            reason: 'Enforcing',
            pods: 1,
            tokens: '120',
            topModel: 'gpt-4o-mini',
            resets: new Date(START + DAY).toISOString(),
            createdAt: new Date(START).toISOString(),
          },
          limits: [
            { name: 'daily', max: '1000000000', spent: '250000000', held: '0', remaining: '750000000', percent: 25 },
          ],
          resource: { kind: 'TokenBudget', status: { limits: [{ name: 'daily', used: '$0.25', remaining: '$0.75' }] } },
        },
      ],
    });
    expect((await test.ask('POST', '/v1/close', { instance: 'a', epoch, lastSeq: 1 })).status).toBe(204);
    expect((await lease(2, '1')).json).toMatchObject({ error: { code: 'unknown_instance' } });
  });

  it('shows what is held in proxies’ hands, and not what lies in the pool', async () => {
    await hello();
    await lease(1, '10');
    expect((await test.ask('GET', '/v1/budgets')).json).toMatchObject({
      budgets: [{ limits: [{ held: '10', spent: '0' }], columns: { exhausts: '-', topModel: '' } }],
    });
  });

  it('chooses the window of a soft charge by its own clock, and starts a limit that joins from what was spent', async () => {
    await hello();
    await test.server.setResources({ budgets: [aBudget({ enforcement: 'Soft' })], routes: [] });
    clock.now += DAY + 5;
    await ship({ seq: 1, charged: 2_000_000_000n, counters: [charge(2_000_000_000n, '', '')] });
    expect((await test.ask('GET', '/v1/budgets')).json).toMatchObject({
      budgets: [
        {
          columns: { spent: '$2.00', used: '200%', reason: 'OverLimit', exhausts: 'now' },
          limits: [{ windowStart: START + DAY }],
        },
      ],
    });
    clock.now += 5;
    await test.server.setResources({
      budgets: [
        aBudget({
          limits: [
            { name: 'daily', cost: { max: '1' }, period: 'Day' },
            { name: 'monthly', cost: { max: '5' }, period: 'Month' },
            { name: 'calls', requests: { max: 10 }, period: 'Month', models: ['gpt-4o-*'] },
            { name: 'other', tokens: { max: 10 }, period: 'Month', models: ['claude-*'] },
            { name: 'tokens', tokens: { max: 1000, count: 'Output' }, period: 'Month' },
          ],
        }),
      ],
      routes: [],
    });
    const need = (limit: string, amount: string) => ({
      budget: 'default/pool',
      limit,
      partition: '',
      need: amount,
      prefer: amount,
    });
    const ask = async (seq: number, limit: string, amount: string) =>
      (await test.ask('POST', '/v1/lease', { instance: 'a', seq, needs: [need(limit, amount)] })).json;
    expect(await ask(1, 'monthly', '3000000001')).toMatchObject({
      granted: false,
      reason: 'exhausted',
      left: '3000000000',
    });
    expect(await ask(2, 'calls', '10')).toMatchObject({ reason: 'exhausted', left: '9' });
    expect(await ask(3, 'other', '10')).toMatchObject({ granted: true });
    expect(await ask(4, 'tokens', '981')).toMatchObject({ reason: 'exhausted', left: '980' });
  });

  it('tells every connected proxy a change that concerns it, and nothing else', async () => {
    await hello();
    const stream = await fetch(`${test.url}/v1/snapshots?instance=a`, {
      headers: { authorization: 'Bearer test-token-of-this-run' },
    });
    expect(stream.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = readLines(stream);
    expect(JSON.parse(await lines())).toMatchObject({ contract: 1, subject: SUBJECT });
    await test.server.setResources({ budgets: [aBudget()], routes: [] });
    await test.server.setResources({ budgets: [aBudget({ enforcement: 'Audit' })], routes: [] });
    expect(await lines()).toContain('Audit');
    await hello('b');
    await lease(1, '1000000000', 'b');
    await lease(2, '1', 'b');
    expect(JSON.parse(await lines())).toEqual({ recall: [DAILY] });
    const ended = lines();
    await test.server.close();
    await expect(ended).resolves.toBe('');
    const unknown = await startTestServer(store, clock);
    expect((await unknown.ask('GET', '/v1/snapshots?instance=nobody')).json).toMatchObject({
      error: { code: 'unknown_instance' },
    });
    await unknown.server.close();
  });

  it('knows a proxy again after a restart of the server, without a hello', async () => {
    await hello();
    await test.server.close();
    test = await startTestServer(store, clock);
    await test.server.setResources({ budgets: [aBudget()], routes: [] });
    expect((await lease(1, '5')).json).toMatchObject({ granted: true });
    const stream = await fetch(`${test.url}/v1/snapshots?instance=a`, {
      headers: { authorization: 'Bearer test-token-of-this-run' },
    });
    expect(JSON.parse(await readLines(stream)())).toMatchObject({ subject: SUBJECT });
  });

  it('answers what was asked before it stopped, and ends that connection with the answer', async () => {
    let answerPing = (): void => undefined;
    const pinged = new Promise<void>((asked) => {
      const ping = (): Promise<void> =>
        new Promise((resolve) => {
          answerPing = resolve;
          asked();
        });
      void startTestServer({ ...store, ping }, clock).then((started) => {
        stopping = started;
        answer = started.ask('GET', '/healthz');
      });
    });
    let stopping: TestServer | undefined;
    let answer: ReturnType<TestServer['ask']> | undefined;
    await pinged;
    const closed = stopping?.server.close();
    answerPing();
    const { status, headers } = (await answer) ?? {};
    expect([status, headers?.get('connection')]).toEqual([200, 'close']);
    // No timer fires here: an idle connection that was kept would hold this up for good.
    await closed;
  });

  it('gives the same answer for no credential, a wrong one, and one of another length', async () => {
    const answers = await Promise.all(
      ['', 'Bearer ', 'Bearer wrong', `Bearer ${'x'.repeat(5_000)}`, 'Basic dGVzdA==', "Bearer ' OR 1=1--"].map(
        (authorization) => test.ask('GET', '/v1/budgets', undefined, { authorization }),
      ),
    );
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
    expect(answers[0]?.headers.get('cache-control')).toBe('no-store');
  });

  it('answers to loopback names only', async () => {
    expect(await rawStatus(test.url, 'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toBe(
      403,
    );
    expect(
      await rawStatus(test.url, 'GET /healthz HTTP/1.1\r\nHost: localhost:4180\r\nConnection: close\r\n\r\n'),
    ).toBe(200);
  });

  const bad: readonly [string, string, string, unknown, number, string][] = [
    ['a body that is no JSON', 'POST', '/v1/lease', '{', 400, 'bad_request'],
    ['an empty body', 'POST', '/v1/lease', '', 400, 'bad_request'],
    [
      'a negative need',
      'POST',
      '/v1/lease',
      { instance: 'a', seq: 1, needs: [{ ...DAILY, need: '-1', prefer: '1' }] },
      400,
      'bad_request',
    ],
    [
      'a need that is a number',
      'POST',
      '/v1/lease',
      { instance: 'a', seq: 1, needs: [{ ...DAILY, need: 1e300, prefer: '1' }] },
      400,
      'bad_request',
    ],
    [
      'a need beyond 2^53',
      'POST',
      '/v1/lease',
      { instance: 'a', seq: 1, needs: [{ ...DAILY, need: '9007199254740992', prefer: '9007199254740992' }] },
      400,
      'bad_request',
    ],
    [
      'a counter that no budget names',
      'POST',
      '/v1/lease',
      { instance: 'a', seq: 1, needs: [{ ...DAILY, limit: 'x', need: '1', prefer: '1' }] },
      404,
      'unknown_counter',
    ],
    [
      'a partition that the limit does not have',
      'POST',
      '/v1/lease',
      { instance: 'a', seq: 1, needs: [{ ...DAILY, partition: 'x', need: '1', prefer: '1' }] },
      404,
      'unknown_counter',
    ],
    [
      'a lease without hello',
      'POST',
      '/v1/lease',
      { instance: 'stranger', seq: 1, needs: [] },
      409,
      'unknown_instance',
    ],
    [
      'more given back than is in hand',
      'POST',
      '/v1/give-back',
      { instance: 'a', seq: 1, returns: [{ ...DAILY, leaseId: 'x', windowId: 'y', epoch: '@', amount: '1' }] },
      409,
      'give_back_exceeds',
    ],
    [
      'an unknown contract',
      'POST',
      '/v1/hello',
      { contract: 2, instance: 'a', version: '1', subject: SUBJECT },
      409,
      'contract_unknown',
    ],
    ['a batch with another instance’s event', 'POST', '/v1/events', '@other', 400, 'instance_mismatch'],
    ['an early close', 'POST', '/v1/close', { instance: 'a', epoch: 'x', lastSeq: 7 }, 409, 'events_missing'],
    ['an unknown way to group', 'GET', '/v1/usage?by=password', undefined, 400, 'bad_request'],
    ['a day that is none', 'GET', '/v1/usage?by=day&from=2026-02-30', undefined, 400, 'bad_request'],
    ['an unknown parameter', 'GET', '/v1/budgets?watch=1', undefined, 400, 'bad_request'],
    ['a request that was never charged', 'GET', "/v1/explain/x'%20OR%201=1--", undefined, 404, 'unknown_request'],
    ['a path that is none', 'GET', '/v1/secrets', undefined, 404, 'not_found'],
    ['a body over the limit', 'POST', '/v1/lease', `"${'x'.repeat(1 << 20)}"`, 413, 'entity_too_large'],
  ];
  it.each(bad)('refuses %s', async (_name, method, path, body, status, code) => {
    await hello();
    const sent =
      body === '@other'
        ? encodeEvents({ instance: 'a', events: [anEvent({ instance: 'b' })] })
        : body === undefined || typeof body === 'string'
          ? body
          : JSON.stringify(body).replace('"@"', JSON.stringify(test.pool.epoch()));
    const answer = await test.ask(method, path, sent);
    expect([answer.status, answer.json]).toMatchObject([status, { error: { code } }]);
  });

  it('refuses what is not said to be JSON, or is compressed', async () => {
    expect((await test.ask('POST', '/v1/lease', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await test.ask('POST', '/v1/lease', '{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('reports the same id with another body, and keeps the first', async () => {
    await ship({ seq: 1, requestId: 'req-1', charged: 5n });
    expect(await ship({ seq: 1, requestId: 'req-1', charged: 6n })).toMatchObject({
      status: 409,
      json: { error: { code: 'event_conflict' } },
    });
    expect((await test.ask('GET', '/v1/explain/req-1')).json).toMatchObject({ charged: '5' });
  });

  it('says 503 while its database is gone, and works again after', async () => {
    await hello();
    const crash = postgres.crash();
    const answer = await lease(1, '5');
    await crash;
    expect([200, 503]).toContain(answer.status);
    await eventually(async () => (await lease(1, '5')).status === 200);
    expect((await test.ask('GET', '/healthz')).text).toBe('ok\n');
  });

  it('counts what it did on a page that names nobody', async () => {
    await hello();
    await lease(1, '5');
    await ship({ seq: 1 }, { seq: 2 });
    const { text } = await test.ask('GET', '/metrics');
    expect(text).toContain('tollgate_server_leases_total{outcome="granted"} 1');
    expect(text).toContain('tollgate_server_events_total{outcome="stored"} 2');
    expect(text).toContain('tollgate_server_proxies 1');
    expect(text).not.toContain('default');
  });

  it('lists the routes in force', async () => {
    expect((await test.ask('GET', '/v1/routes')).json).toEqual({ routes: [] });
  });
});

const rawStatus = (url: string, request: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => {
      resolve(Number(text.split(' ')[1]));
    });
    socket.on('error', reject);
  });

/** Each call gives the next line; '' at the end. */
const readLines = (response: Response): (() => Promise<string>) => {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  return async () => {
    for (;;) {
      const end = buffer.indexOf('\n');
      if (end >= 0) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 1);
        return line;
      }
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return '';
      buffer += chunk.value;
    }
  };
};

const eventually = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it never came to hold');
};
