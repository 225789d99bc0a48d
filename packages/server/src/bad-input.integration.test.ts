/** Rows 40, 43 and 44 of the corpus, against the real server: refused with a reason, counted, logged once, nothing changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import { START } from '@tollgate/ledger/contract';
import { encodeEvents } from '@tollgate/ledger/wire';
import type { LedgerEvent } from '@tollgate/ledger';
import { recordingLogger, type RecordingLogger } from '@tollgate/runtime/testing';
import { openStore, type Store } from '@tollgate/store';
import { anEvent, startPglite, type TestPglite } from '@tollgate/store/testing';
import { signedToken } from './auth/signed-token.ts';
import { bearerToken } from './auth/static-token.ts';
import { firstOf } from './auth/token-review.ts';
import { aBudget } from './testing/a-budget.ts';
import { ISSUER, makeIssuer, type Issuer } from './testing/an-issuer.ts';
import { metricValue } from './testing/metric-value.ts';
import { startTestServer, TOKEN, type Answer, type TestServer } from './testing/test-server.ts';

const SUBJECT = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };
const DAILY = { budget: 'default/pool', limit: 'daily', partition: '' };
const DAY = 86_400_000;
const WINDOW = '2026-11-21T00:00Z/Day';

describe('bad input', () => {
  let lite: TestPglite;
  let store: Store;
  let issuer: Issuer;
  let logger: RecordingLogger;
  let test: TestServer;
  let clock: { now: number };
  let epoch: string;

  beforeAll(async () => {
    lite = await startPglite();
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    issuer = await makeIssuer();
    clock = { now: START };
    logger = recordingLogger();
    test = await startTestServer(store, clock, {
      authenticate: firstOf([
        bearerToken(TOKEN),
        signedToken({
          keys: createLocalJWKSet({ keys: issuer.keySet.keys as never }),
          issuer: ISSUER,
          ledgerAudience: 'tollgate',
          managementAudience: 'tollgate-management',
          systemNamespace: 'tollgate-system',
          operator: null,
          clock: () => clock.now,
        }),
      ]),
      logger,
    });
    await test.server.setResources({ budgets: [aBudget()], routes: [] });
    await ask('POST', '/v1/hello', { contract: 1, instance: 'a', version: '1', subject: SUBJECT });
    const leased = await ask('POST', '/v1/lease', { instance: 'a', seq: 1, needs: [need('1000')] });
    expect(leased.json).toMatchObject({ granted: true });
    await ask('POST', '/v1/events', ship(event({ seq: 1, charged: 5n, counters: [charge(5n)] })));
    epoch = test.pool.epoch();
  }, 60_000);
  afterAll(async () => {
    await test.server.close();
    await store.close();
    await lite.stop();
  });

  const ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
    test.ask(method, path, body, headers);
  const need = (amount: unknown, more: object = {}) => ({ ...DAILY, need: amount, prefer: amount, ...more });
  const lease = (seq: unknown, ...needs: readonly object[]) => ({ instance: 'a', seq, needs });
  const event = (part: Partial<LedgerEvent>): LedgerEvent => anEvent({ instance: 'a', ...part });
  const charge = (charged: bigint, windowId = WINDOW) => ({
    ...DAILY,
    windowId,
    epoch: test.pool.epoch(),
    held: charged,
    charged,
  });
  const ship = (...events: readonly LedgerEvent[]) => encodeEvents({ instance: 'a', events });
  const shipped = (change: (json: Record<string, unknown>) => void): string => {
    const body = JSON.parse(ship(event({ seq: 2, charged: 7n, counters: [charge(7n)] }))) as {
      events: Record<string, unknown>[];
    };
    for (const each of body.events) change(each);
    return JSON.stringify(body);
  };
  const giveBack = (amount: unknown, more: object = {}) => ({
    instance: 'a',
    seq: 1,
    returns: [{ ...DAILY, leaseId: 'l', windowId: WINDOW, epoch, amount, ...more }],
  });
  const hello = (more: object) => ({ contract: 1, instance: 'b', version: '1', subject: SUBJECT, ...more });

  /** All that must not change: what is written down, and what the pool has. */
  const state = async (): Promise<unknown> => {
    const plain: unknown = JSON.parse(
      JSON.stringify([await store.tallies(), await test.pool.balances(), await store.listInstances()], (_key, value) =>
        typeof value === 'bigint' ? String(value) : (value as unknown),
      ),
    );
    return plain;
  };
  const refused = async (): Promise<number> => {
    const { text } = await ask('GET', '/metrics');
    return [...text.matchAll(/^tollgate_server_refused_total\{reason="[^"]+"\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  };
  let before: unknown;
  beforeEach(async () => {
    before = await state();
  });

  type Row = readonly [what: string, path: string, body: () => unknown, status: number, code: string];
  const rows: readonly Row[] = [
    // Row 44: leases and give-backs.
    ['a give-back of more than was granted', '/v1/give-back', () => giveBack('1001'), 409, 'give_back_exceeds'],
    ['a give-back below zero', '/v1/give-back', () => giveBack('-1'), 400, 'bad_request'],
    ['a give-back that is a number', '/v1/give-back', () => giveBack(1), 400, 'bad_request'],
    ['a lease of less than nothing', '/v1/lease', () => lease(2, need('-5')), 400, 'bad_request'],
    ['a lease of NaN', '/v1/lease', () => lease(2, need('NaN')), 400, 'bad_request'],
    ['a lease of 1e300', '/v1/lease', () => lease(2, need(1e300)), 400, 'bad_request'],
    ['a lease of 2^53', '/v1/lease', () => lease(2, need('9007199254740992')), 400, 'bad_request'],
    ['a lease of one half', '/v1/lease', () => lease(2, need('0.5')), 400, 'bad_request'],
    [
      'a lease that prefers less than it needs',
      '/v1/lease',
      () => lease(2, need('5', { prefer: '4' })),
      400,
      'bad_request',
    ],
    ['a counter twice', '/v1/lease', () => lease(2, need('1'), need('1')), 400, 'duplicate_counter'],
    ['257 counters', '/v1/lease', () => lease(2, ...Array.from({ length: 257 }, () => need('1'))), 400, 'bad_request'],
    ['a counter of no budget', '/v1/lease', () => lease(2, need('1', { limit: 'none' })), 404, 'unknown_counter'],
    ['a name with NUL', '/v1/lease', () => lease(2, need('1', { partition: 'a\0' })), 400, 'bad_request'],
    [
      'a name of 5,000 characters',
      '/v1/lease',
      () => lease(2, need('1', { budget: 'x'.repeat(5_000) })),
      400,
      'bad_request',
    ],
    ['a number that is used for something else', '/v1/lease', () => lease(1, need('999')), 409, 'seq_reused'],
    ['a number below zero', '/v1/lease', () => lease(-1, need('1')), 400, 'bad_request'],
    ['a number that is text', '/v1/lease', () => lease('1; DROP TABLE event', need('1')), 400, 'bad_request'],
    [
      'an instance that nobody knows',
      '/v1/lease',
      () => ({ ...lease(2, need('1')), instance: 'x' }),
      409,
      'unknown_instance',
    ],
    // Row 43: events.
    [
      'a batch that comes again with another charge',
      '/v1/events',
      () => ship(event({ seq: 1, charged: 6n, counters: [charge(6n)] })),
      409,
      'event_conflict',
    ],
    [
      'an event of another instance',
      '/v1/events',
      () => encodeEvents({ instance: 'a', events: [anEvent({ instance: 'b', seq: 9 })] }),
      400,
      'instance_mismatch',
    ],
    ['a charge below zero', '/v1/events', () => shipped((json) => (json['charged'] = '-1')), 400, 'bad_request'],
    [
      'a charge of 2^63',
      '/v1/events',
      () => shipped((json) => (json['charged'] = '9223372036854775808')),
      400,
      'bad_request',
    ],
    ['a charge that is a number', '/v1/events', () => shipped((json) => (json['charged'] = 5)), 400, 'bad_request'],
    ['a time before 1970', '/v1/events', () => shipped((json) => (json['startedAt'] = -1)), 400, 'bad_request'],
    ['a time that is infinite', '/v1/events', () => shipped((json) => (json['endedAt'] = null)), 400, 'bad_request'],
    ['usage below zero', '/v1/events', () => shipped((json) => (json['usage'] = { input: -5 })), 400, 'bad_request'],
    [
      'a way to settle from the future',
      '/v1/events',
      () => shipped((json) => (json['settle'] = 'refunded')),
      400,
      'bad_request',
    ],
    [
      'a label called __proto__',
      '/v1/events',
      () => shipped((json) => (json['subject'] = SUBJECT)).replace('"labels":{}', '"labels":{"__proto__":"x"}'),
      400,
      'bad_request',
    ],
    [
      '501 events',
      '/v1/events',
      () => ship(...Array.from({ length: 501 }, (_, at) => event({ seq: 10 + at }))),
      400,
      'bad_request',
    ],
    ['a body that is cut short', '/v1/events', () => ship(event({ seq: 2 })).slice(0, -2), 400, 'bad_request'],
    ['a close before its events', '/v1/close', () => ({ instance: 'a', epoch, lastSeq: 99 }), 409, 'events_missing'],
    // Versions.
    [
      'a contract from the future',
      '/v1/hello',
      () => hello({ contract: 2, version: '9.0.0' }),
      409,
      'contract_unknown',
    ],
    ['a contract that is too old', '/v1/hello', () => hello({ contract: 0 }), 426, 'contract_too_old'],
    ['a contract that is none', '/v1/hello', () => hello({ contract: '1' }), 400, 'bad_request'],
    ['an instance without a name', '/v1/hello', () => hello({ instance: '' }), 400, 'bad_request'],
    [
      'a hello with 300 labels',
      '/v1/hello',
      () =>
        hello({
          subject: {
            ...SUBJECT,
            labels: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`l${String(at)}`, ''])),
          },
        }),
      400,
      'bad_request',
    ],
    ['an array', '/v1/lease', () => '[]', 400, 'bad_request'],
    ['null', '/v1/hello', () => 'null', 400, 'bad_request'],
    ['200,000 open brackets', '/v1/lease', () => '['.repeat(200_000), 400, 'bad_request'],
  ];
  it.each(rows)('is refused, counted, and changes nothing: %s', async (_what, path, body, status, code) => {
    const counted = await refused();
    const answers = [await ask('POST', path, body()), await ask('POST', path, body())];
    for (const answer of answers) expect([answer.status, answer.json]).toMatchObject([status, { error: { code } }]);
    expect(await refused()).toBe(counted + 2);
    expect(await state()).toEqual(before);
    expect(answers[0]?.text).not.toMatch(/select|insert|relation|syntax|zod|node_modules/i);
  });

  it.each([
    ['POST', '/v1/instances/%00/abandon', 'bad_url'],
    ['GET', '/v1/explain/%00', 'bad_url'],
    ['GET', '/v1/snapshots?instance=%00', 'bad_url'],
    ['GET', '/v1/usage?by=model&from=0000-01-01', 'bad_request'],
  ])('is refused in a URL before the database sees it: %s %s', async (method, url, code) => {
    const answer = await ask(method, url);
    expect([answer.status, answer.json]).toMatchObject([400, { error: { code } }]);
  });

  it('is logged once an asker and reason, however often it comes', () => {
    const lines = logger.lines.filter(({ message }) => message === 'request refused');
    const kinds = lines.map(({ fields }) => `${String(fields.instance)} ${String(fields.reason)}`);
    expect(kinds).toHaveLength(new Set(kinds).size);
    expect(kinds).toContain('a event_conflict');
  });

  it('names both versions where contracts differ', async () => {
    const { json } = await ask('POST', '/v1/hello', hello({ contract: 2, version: '9.0.0' }));
    expect(json).toMatchObject({
      error: { message: 'contract: expected 1, which this server speaks, not the 2 of version 9.0.0' },
    });
  });

  it('is not what a newer minor says besides, which is left out', async () => {
    const answer = await ask('POST', '/v1/lease', { ...lease(1, need('1000', { colour: 'red' })), trace: { id: 1 } });
    expect(answer.json).toMatchObject({ granted: true });
    expect(await state()).toEqual(before);
  });

  it('is not what comes again, word for word, or out of order: it counts once', async () => {
    const first = ship(event({ seq: 1, charged: 5n, counters: [charge(5n)] }));
    expect((await ask('POST', '/v1/events', first)).json).toEqual({ ack: 1 });
    expect((await ask('POST', '/v1/give-back', giveBack('10'))).status).toBe(204);
    expect((await ask('POST', '/v1/give-back', giveBack('10'))).status).toBe(204);
    await ask('POST', '/v1/events', ship(event({ seq: 4 }), event({ seq: 3 })));
    expect((await ask('POST', '/v1/events', ship(event({ seq: 3 }), event({ seq: 4 })))).json).toEqual({ ack: 1 });
    expect((await ask('POST', '/v1/events', ship(event({ seq: 2 })))).json).toEqual({ ack: 4 });
    const [tally] = await store.tallies();
    expect(tally?.settled).toBe(5n);
    const [balance] = await test.pool.balances();
    expect(balance?.leased).toBe(1_000n - 5n - 10n);
  });

  it('of time moves no money: what an event says of a window long gone, or of a time to come, is a name', async () => {
    const far = [
      event({ seq: 5, startedAt: 0, endedAt: 1, charged: 1n, counters: [charge(1n, '1970-01-01T00:00Z/Day')] }),
      event({ seq: 6, startedAt: START + 3_650 * DAY, endedAt: START + 3_651 * DAY, charged: 1n, counters: [] }),
    ];
    const present = async () => (await store.tallies()).find(({ windowId }) => windowId === WINDOW)?.settled;
    const settled = await present();
    const answer = await ask('POST', '/v1/events', ship(...far));
    expect([200, 400, 404, 409]).toContain(answer.status);
    expect(await present()).toBe(settled);
  });

  it('for a credential gets one answer, and as much work: row 40', async () => {
    const good = await issuer.token();
    const cut = good.slice(0, -3);
    const tokens = [
      '',
      ' ',
      ' x',
      'x'.repeat(8_000),
      "' OR 1=1--",
      'tg_live_0123456789abcdef0123456789abcdef',
      `${TOKEN}x`,
      TOKEN.slice(0, -1),
      cut,
      `${good}x`,
      await issuer.token({ expiresAt: clock.now - 1 }),
      await issuer.token({ audience: 'kubernetes' }),
      await issuer.token({ issuer: 'https://other' }),
      await (await makeIssuer()).token(),
    ];
    const page = async (): Promise<string> => (await ask('GET', '/metrics')).text;
    const counted = [...(await page()).matchAll(/reason="token_/g)].length;
    const answers = await Promise.all(
      tokens.map((token) => ask('POST', '/v1/lease', lease(9, need('1')), { authorization: `Bearer ${token}` })),
    );
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, json: { error: { code: 'unauthenticated' } } });
    expect([...(await page()).matchAll(/reason="token_/g)].length).toBeGreaterThan(counted);
    expect(metricValue(await page(), 'tollgate_server_refused_total{reason="token_expired"}')).toBe(1);
    expect(await state()).toEqual(before);
    // A megabyte of header is turned away before it is a request.
    const huge = await ask('POST', '/v1/lease', {}, { authorization: `Bearer ${'x'.repeat(1 << 20)}` }).catch(
      () => null,
    );
    expect([431, undefined]).toContain(huge?.status);
  });
});
