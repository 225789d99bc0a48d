/** A proxy that takes callers by their tokens: whose budgets bind them, and what reaches the provider. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CallerReview } from '@tollgate/ledger';
import type { Snapshot } from '@tollgate/api';
import { startRawUpstream, type RawUpstream } from '@tollgate/testkit';
import { aChat, callJson, type CallAnswer } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import {
  aBackend,
  aLimit,
  aRule,
  aSnapshot,
  aSnapshotBudget,
  aSnapshotRoute,
  makeMockPrices,
} from './testing/objects.ts';

const OWN = { namespace: 'tollgate-system', workload: 'gateway', labels: {}, team: 'tollgate-system' };
const KEY = { credential: { name: 'openai', key: 'api-key' } };
const ANSWER = JSON.stringify({
  id: 'c1',
  object: 'chat.completion',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Three.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
});

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

const routes = (backend: object = KEY): Snapshot['routes'] => [
  aSnapshotRoute({ namespace: OWN.namespace, name: 'platform', rules: [aRule({ backends: [aBackend(backend)] })] }),
];

const start = async (options: HarnessOptions = {}): Promise<Harness> => {
  const on = await startHarness({
    snapshot: aSnapshot({ subject: OWN, budgets: [], routes: routes() }),
    prices: makeMockPrices(),
    ...options,
    env: { TOLLGATE_REQUIRE_TOKENS: 'true', TOLLGATE_SECRET_OPENAI_API_KEY: 'sk-platform', ...options.env },
  });
  running.push(on);
  return on;
};

const accepted = (namespace: string, part: Partial<Extract<CallerReview, { accepted: true }>> = {}): CallerReview => ({
  accepted: true,
  caller: { namespace, serviceAccount: 'ci', pod: null },
  validMs: 60_000,
  unaskedMs: 600_000,
  ...part,
});

const snapshotOf = (namespace: string, part: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    subject: {
      namespace,
      workload: 'ci',
      workloadKind: 'ServiceAccount',
      serviceAccount: 'ci',
      labels: {},
      team: namespace,
    },
    budgets: [aSnapshotBudget({ namespace, name: 'team' })],
    routes: routes(),
    ...part,
  });

const tokenOf = (namespace: string): string => `head.${namespace}.signature`;
const admit = (on: Harness, namespace: string, part: Partial<Snapshot> = {}): void =>
  on.controlPlane.setCaller(tokenOf(namespace), accepted(namespace), snapshotOf(namespace, part));
const chat = (on: Harness, headers: Readonly<Record<string, string>>, stated = {}): Promise<CallAnswer> =>
  callJson(`${on.url}/openai/v1/chat/completions`, aChat(stated), { headers });
const bearer = (namespace: string) => ({ authorization: `Bearer ${tokenOf(namespace)}` });

const answering = async (): Promise<RawUpstream> => {
  const upstream = await startRawUpstream(async ({ write }) =>
    write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(Buffer.byteLength(ANSWER))}\r\n\r\n${ANSWER}`,
    ),
  );
  running.push(upstream);
  return upstream;
};

describe('callers of a gateway', () => {
  it('are named to the control plane, with the version of the policy that each is bound by now', async () => {
    const on = await start();
    const said = async (expected: Readonly<Record<string, string>>): Promise<void> => {
      const end = Date.now() + 20_000;
      while (JSON.stringify(on.controlPlane.callersSaid()) !== JSON.stringify(expected)) {
        if (Date.now() > end) throw new Error(`it said ${JSON.stringify(on.controlPlane.callersSaid())}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await said({});
    admit(on, 'shop', { version: 'shop-1' });
    expect((await chat(on, bearer('shop'))).status).toBe(200);
    await said({ '["shop","ci"]': 'shop-1' });
    admit(on, 'shop', { version: 'shop-2' });
    await said({ '["shop","ci"]': 'shop-2' });
  });

  it('are each bound by the budgets of their own, and charged under their own name', async () => {
    const on = await start();
    admit(on, 'shop');
    admit(on, 'bank', {
      budgets: [aSnapshotBudget({ namespace: 'bank', name: 'team', limits: [aLimit({ max: '1' })] })],
    });
    expect((await chat(on, bearer('shop'))).status).toBe(200);
    expect(await chat(on, bearer('bank'))).toMatchObject({ status: 400, error: { code: 'budget_never_fits' } });
    expect((await chat(on, bearer('shop'))).headers.get('x-tollgate-budget')).toBe('shop/team');
    const events = await on.events(2);
    expect(events.map(({ subject, route }) => [subject.namespace, subject.serviceAccount, route])).toEqual([
      ['shop', 'ci', 'tollgate-system/platform'],
      ['shop', 'ci', 'tollgate-system/platform'],
    ]);
    expect(on.controlPlane.reviewed).toEqual([tokenOf('shop'), tokenOf('bank')]);
  });

  it.each([
    ['authorization', { authorization: `Bearer ${tokenOf('shop')}` }],
    ['x-api-key', { authorization: '', 'x-api-key': tokenOf('shop') }],
    ['api-key', { authorization: '', 'api-key': tokenOf('shop') }],
    ['x-goog-api-key', { authorization: 'Bearer sk-of-the-caller', 'x-goog-api-key': tokenOf('shop') }],
  ])("show their token in %s, and the provider sees the route's key alone", async (_header, headers) => {
    const upstream = await answering();
    const on = await start({ upstream: upstream.url });
    admit(on, 'shop');
    expect((await chat(on, headers)).status).toBe(200);
    const [request = ''] = upstream.requests;
    expect(request).toContain('Bearer sk-platform');
    expect(request).not.toContain(tokenOf('shop'));
    expect(request).not.toContain('sk-of-the-caller');
  });

  it('are sent away in the words of the provider that they called, and nothing is sent', async () => {
    const on = await start();
    on.controlPlane.setCaller('a.expired.c', { accepted: false, fault: 'expired' });
    on.controlPlane.setCaller('a.foreign.c', { accepted: false, fault: 'audience' });
    for (const [token, word] of [
      ['a.forged.c', 'not valid'],
      ['a.expired.c', 'expired'],
      ['a.foreign.c', 'audience'],
      ['sk-of-the-caller', 'no ServiceAccount token'],
    ] as const) {
      const answer = await chat(on, { authorization: `Bearer ${token}` });
      expect([answer.status, answer.error]).toEqual([
        401,
        expect.objectContaining({
          code: 'unauthenticated',
          type: 'authentication_error',
          message: expect.stringContaining(word),
        }),
      ]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    const anthropic = await callJson(`${on.url}/anthropic/v1/messages`, {}, { headers: { 'x-api-key': 'a.b.c' } });
    expect([anthropic.status, JSON.parse(anthropic.text)]).toEqual([
      401,
      expect.objectContaining({ type: 'error', error: expect.objectContaining({ type: 'authentication_error' }) }),
    ]);
    const gemini = await callJson(`${on.url}/gemini/v1beta/models/gemini-2.5-flash:generateContent?key=a.b.c`, {});
    expect(gemini).toMatchObject({ status: 401, error: { status: 'UNAUTHENTICATED' } });
    expect(on.mock.log).toEqual([]);
  });

  it('are refused where no key of the gateway serves their call', async () => {
    const keyless = aSnapshot({ subject: OWN, budgets: [], routes: routes({}) });
    const on = await start({ snapshot: keyless });
    admit(on, 'shop', { routes: routes({}) });
    admit(on, 'bank', { routes: [] });
    admit(on, 'ours', {
      routes: routes({
        provider: 'OpenAICompatible',
        price: {
          free: true,
          inputPerMillion: null,
          cachedInputPerMillion: null,
          cacheWritePerMillion: null,
          outputPerMillion: null,
        },
      }),
    });
    expect(await chat(on, bearer('shop'))).toMatchObject({
      status: 502,
      error: { code: 'credential_missing', message: expect.stringContaining('tollgate-system/platform') },
    });
    expect(await chat(on, bearer('bank'))).toMatchObject({
      status: 502,
      error: { code: 'credential_missing', message: expect.stringContaining('ModelRoute') },
    });
    expect(on.mock.log).toEqual([]);
    expect((await chat(on, bearer('ours'))).status).toBe(200);
  });

  it('have no path but the metered ones, since their own key is not forwarded', async () => {
    const on = await start();
    admit(on, 'shop');
    for (const path of ['/openai/v1/models', '/openai/v1/files', '/openai/v1/unheard-of']) {
      expect((await fetch(`${on.url}${path}`)).status).toBe(401);
      const answer = await fetch(`${on.url}${path}`, { headers: bearer('shop') });
      expect([path, answer.status, await answer.text()]).toEqual([
        path,
        502,
        expect.stringContaining('credential_missing'),
      ]);
    }
    expect(on.mock.log).toEqual([]);
  });

  it('are told to come again while nobody can say who they are, and those who are known go on', async () => {
    const on = await start();
    admit(on, 'shop');
    admit(on, 'bank');
    expect((await chat(on, bearer('shop'))).status).toBe(200);
    await on.events(1);
    on.controlPlane.setDown(true);
    on.advance(10_000);
    expect((await chat(on, bearer('shop'))).status).toBe(200);
    const unknown = await chat(on, bearer('bank'));
    expect([unknown.status, unknown.error?.code, unknown.headers.get('retry-after')]).toEqual([
      503,
      'token_review_unavailable',
      '1',
    ]);
    on.controlPlane.setDown(false);
    expect((await chat(on, bearer('bank'))).status).toBe(200);
  });

  it('feel a change of their budget at once, and an end of their token within a minute', async () => {
    const on = await start();
    admit(on, 'shop');
    expect((await chat(on, bearer('shop'))).status).toBe(200);
    admit(on, 'shop', {
      budgets: [aSnapshotBudget({ namespace: 'shop', name: 'team', limits: [aLimit({ max: '1' })] })],
    });
    expect(await chat(on, bearer('shop'))).toMatchObject({ status: 400, error: { code: 'budget_never_fits' } });
    on.controlPlane.setCaller(tokenOf('shop'), { accepted: false, fault: 'invalid' });
    on.advance(60_000);
    expect((await chat(on, bearer('shop'))).status).toBe(401);
  });

  it('are counted, and nobody is named', async () => {
    const on = await start();
    admit(on, 'shop');
    await chat(on, bearer('shop'));
    await chat(on, bearer('stranger'));
    const page = await (await fetch(`${on.adminUrl}/metrics`)).text();
    expect(page).toContain('tollgate_caller_tokens_total{outcome="accepted"} 1');
    expect(page).toContain('tollgate_caller_tokens_total{outcome="refused"} 1');
    expect(page).toContain('tollgate_callers 1');
    expect(page).not.toContain('shop');
  });
});
