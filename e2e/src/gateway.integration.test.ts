/** The gateway as the chart runs it: the official SDKs with a ServiceAccount token for a key, a real server that reviews it, and a real ledger. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { AuthenticationError, BadRequestError, InternalServerError } from 'openai';
import type { ModelRoute, TokenBudget } from '@tollgate/api';
import { makeHttpLedger, type HttpLedger } from '@tollgate/ledger/http';
import { makeMemoryPool } from '@tollgate/ledger/pool';
import { openFileDisk, openSpool } from '@tollgate/ledger/spool';
import { shippedPriceTable } from '@tollgate/prices/data';
import { monotonicClock, readEnv, silentLogger, systemTimers } from '@tollgate/runtime';
import {
  buildServer,
  callerFor,
  namespaceLabels,
  type Resources,
  type TokenReview,
  type TollgateServer,
} from '@tollgate/server';
import { readConfig, startProxy, type RunningProxy } from '@tollgate/sidecar';
import { compileSnapshot } from '@tollgate/snapshots';
import { openStore, type Store } from '@tollgate/store';
import { startPglite, type TestPglite } from '@tollgate/store/testing';
import { aBudget, aRoute, startMockProvider, type MockProvider } from '@tollgate/testkit';

const SYSTEM = 'tollgate-system';
const SETUP_MS = 120_000;
const messages = [{ role: 'user' as const, content: 'What does the bridge cost?' }];

/** Tokens as an API server knows them. */
const GATEWAY = { namespace: SYSTEM, serviceAccount: 'tollgate-gateway', pod: { name: 'gateway-1', uid: 'u-gateway' } };
const TOKENS = new Map([
  ['a.gateway.c', { workload: GATEWAY, ledger: true }],
  ['a.shop.c', { workload: { namespace: 'shop', serviceAccount: 'ci', pod: null }, ledger: true }],
  [
    'a.bank.c',
    { workload: { namespace: 'bank', serviceAccount: 'bot', pod: { name: 'bot-1', uid: 'u-bot' } }, ledger: true },
  ],
  ['a.looks.c', { workload: { namespace: 'shop', serviceAccount: 'ci', pod: null }, ledger: false }],
]);

const limit = (max: string): TokenBudget['spec']['limits'] => [
  { name: 'daily', cost: { max }, period: 'Day', window: 'Calendar', partitionBy: 'Budget' },
];
const keyed = (type: 'OpenAI' | 'Anthropic', model: string): ModelRoute =>
  aRoute({
    namespace: SYSTEM,
    name: type.toLowerCase(),
    rules: [
      {
        name: 'all',
        models: [model],
        backends: [
          {
            name: 'first',
            provider: { type, credentialsSecretRef: { name: 'keys', key: type } },
            weight: 1,
            priority: 0,
          },
        ],
      },
    ],
  });

describe('a gateway', () => {
  let lite: TestPglite;
  let store: Store;
  let server: TollgateServer;
  let ledger: HttpLedger;
  let mock: MockProvider;
  let proxy: RunningProxy;
  let close: () => void;
  let dir: string;
  let isAway = false;

  const resources = (shop: string): Resources => ({
    budgets: [
      aBudget({ namespace: 'shop', name: 'pool', spec: { limits: limit(shop) } }),
      aBudget({ namespace: SYSTEM, name: 'platform', spec: { limits: limit('100'), namespaceSelector: {} } }),
    ],
    routes: [keyed('OpenAI', 'gpt-*'), keyed('Anthropic', 'claude-*')],
  });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tollgate-gateway-'));
    mkdirSync(join(dir, 'keys'));
    for (const key of ['OpenAI', 'Anthropic']) writeFileSync(join(dir, 'keys', key), `sk-of-the-platform-${key}`);
    lite = await startPglite();
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    const prices = shippedPriceTable();
    server = await buildServer({
      store,
      makePool: makeMemoryPool,
      snapshotFor: (subject, { budgets, routes, ...others }, routesOf = subject) =>
        compileSnapshot({
          organisation: store.organisation,
          subject,
          routesOf,
          budgets,
          routes,
          prices,
          systemNamespace: SYSTEM,
          namespaceLabels: namespaceLabels(others, subject.namespace),
          hash: (text) => createHash('sha256').update(text).digest('hex'),
        }),
      authenticate: (token): Promise<TokenReview> => {
        const known = TOKENS.get(token);
        if (isAway && token !== 'a.gateway.c') return Promise.resolve({ ok: false, reason: 'unavailable' });
        if (known === undefined) return Promise.resolve({ ok: false, reason: 'signature' });
        const { workload, ledger: forLedger } = known;
        const caller = callerFor(
          { workload, audiences: { ledger: forLedger, management: !forLedger } },
          { systemNamespace: SYSTEM, operator: null },
        );
        return Promise.resolve({ ok: true, caller, validUntil: Date.now() + 60_000 });
      },
      clock: Date.now,
      monotonic: monotonicClock,
      timers: systemTimers,
      logger: silentLogger(),
      systemNamespace: SYSTEM,
      loopbackOnly: true,
    });
    await server.setResources(resources('1'));
    const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
    mock = await startMockProvider({});
    ledger = makeHttpLedger({ serverUrl: url, token: () => 'a.gateway.c', random: Math.random });
    const env = {
      TOLLGATE_TOKEN_FILE: join(dir, 'unread'),
      TOLLGATE_SPOOL_DIR: join(dir, 'spool'),
      TOLLGATE_LISTEN: '127.0.0.1:0',
      TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
      TOLLGATE_SECRETS_DIR: dir,
      TOLLGATE_UPSTREAM_OPENAI: `${mock.url}/v1`,
      TOLLGATE_UPSTREAM_ANTHROPIC: mock.url,
      TOLLGATE_UPSTREAM_TAKES_KEYS: 'true',
      TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
      TOLLGATE_REQUIRE_TOKENS: 'true',
      TOLLGATE_REQUIRE_BUDGET: 'true',
      TOLLGATE_SUBJECT: JSON.stringify({ namespace: SYSTEM, workload: 'gateway', serviceAccount: 'tollgate-gateway' }),
    };
    const config = readEnv(env, readConfig);
    const disk = openFileDisk(config.spoolDir);
    const spool = openSpool({ disk, maxBytes: config.spoolBytes });
    close = () => {
      spool.close();
      disk.close();
    };
    proxy = await startProxy({
      config,
      controlPlane: ledger,
      spool,
      tokenizerWorker: null,
      version: 'test',
      logger: silentLogger(),
      instance: 'gateway-of-the-test',
      now: Date.now,
      random: Math.random,
      env,
    });
  }, SETUP_MS);

  afterAll(async () => {
    await proxy?.stop();
    close?.();
    ledger?.close();
    await mock?.stop();
    await server?.close();
    await store?.close();
    await lite?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, SETUP_MS);

  const openai = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${proxy.url}/openai/v1`, maxRetries: 0 });
  const ask = (apiKey: string): Promise<unknown> =>
    openai(apiKey).chat.completions.create({ model: 'gpt-4o-mini', max_completion_tokens: 50, messages });
  /** Nano-USD by the rows of the ledger. */
  const chargedTo = async (namespace: string): Promise<bigint> =>
    (await store.usageBy('team', { from: null, to: null, namespace })).reduce((sum, { charged }) => sum + charged, 0n);
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    const end = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error('not so after 30 s');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it("serves an unmodified SDK whose key is a ServiceAccount token, on its namespace's budget", async () => {
    expect(await ask('a.shop.c')).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
    const streamed = await openai('a.shop.c').chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
      stream: true,
    });
    for await (const chunk of streamed) expect(chunk.object).toBe('chat.completion.chunk');
    await until(async () => (await chargedTo('shop')) > 0n);
    expect(await chargedTo('bank')).toBe(0n);
  });

  it("serves Anthropic's SDK, which sends its key in a header of its own", async () => {
    const client = new Anthropic({ apiKey: 'a.bank.c', baseURL: `${proxy.url}/anthropic`, maxRetries: 0 });
    const answer = await client.messages.create({ model: 'claude-haiku-4-5', max_tokens: 50, messages });
    expect(answer.role).toBe('assistant');
    await until(async () => (await chargedTo('bank')) > 0n);
  });

  it.each([
    ['a forged token', 'a.forged.c'],
    ["a provider's key", 'sk-of-the-caller'],
    ['a token for another audience', 'a.looks.c'],
  ])('throws the SDK its own authentication error at %s', async (_what, apiKey) => {
    await expect(ask(apiKey)).rejects.toBeInstanceOf(AuthenticationError);
  });

  it('hears of a changed budget by the stream of that caller', async () => {
    await server.setResources(resources('0.000000001'));
    await until(() =>
      ask('a.shop.c').then(
        () => false,
        (error: unknown) => error instanceof BadRequestError,
      ),
    );
    await server.setResources(resources('1'));
    await until(() =>
      ask('a.shop.c').then(
        () => true,
        () => false,
      ),
    );
  });

  it('says so when nobody can review a token that it has not seen', async () => {
    isAway = true;
    TOKENS.set('a.new.c', { workload: { namespace: 'shop', serviceAccount: 'new', pod: null }, ledger: true });
    await expect(ask('a.new.c')).rejects.toMatchObject({ status: 503, code: 'token_review_unavailable' });
    await expect(ask('a.new.c')).rejects.toBeInstanceOf(InternalServerError);
    expect(await ask('a.shop.c')).toMatchObject({ object: 'chat.completion' });
    isAway = false;
    expect(await ask('a.new.c')).toMatchObject({ object: 'chat.completion' });
  });
});
