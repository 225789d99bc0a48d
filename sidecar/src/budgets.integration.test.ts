import { afterEach, describe, expect, it } from '@jest/globals';
import { formatUsd } from '@tollgate/metering';
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
import type { SnapshotBudget, SnapshotRoute } from '@tollgate/api';

describe('what a budget and a route make of a call', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    await harness?.stop();
    harness = null;
  });

  const start = async (
    budgets: readonly SnapshotBudget[],
    routes: readonly SnapshotRoute[] = [],
    more: HarnessOptions = {},
  ): Promise<Harness> => {
    harness = await startHarness({ snapshot: aSnapshot({ budgets, routes }), prices: makeMockPrices(), ...more });
    return harness;
  };
  const chat = (
    { url }: Harness,
    stated: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<CallAnswer> => callJson(`${url}/openai/v1/chat/completions`, aChat(stated), { headers });
  const tiny = aLimit({ unit: 'cost', max: '1000' });

  describe('enforcement', () => {
    it('Soft lets a call pass that the limit would not, and charges it', async () => {
      const on = await start([aSnapshotBudget({ enforcement: 'Soft', limits: [tiny] })]);
      expect((await chat(on)).status).toBe(200);
      const [event] = await on.events(1);
      expect(event).toMatchObject({
        settle: 'usage',
        charged: on.mock.bill(),
        counters: [{ epoch: '', charged: on.mock.bill() }],
      });
    });

    it('Audit lets it pass, changes no byte of it, and notes that it would have refused', async () => {
      const on = await start([aSnapshotBudget({ enforcement: 'Audit', waitSeconds: 0, limits: [tiny] })]);
      const body = JSON.stringify({ ...aChat({ stream: true }), max_tokens: undefined });
      expect((await callJson(`${on.url}/openai/v1/chat/completions`, body)).status).toBe(200);
      const [event] = await on.events(1);
      expect(event?.counters).toMatchObject([{ wouldRefuse: true }]);
      expect(on.mock.log[0]?.requestBytes).toBe(Buffer.byteLength(body));
    });

    it('no budget at all: the call passes, is priced and recorded', async () => {
      const on = await start([]);
      const answer = await chat(on);
      expect([answer.status, answer.headers.get('x-tollgate-budget')]).toEqual([200, null]);
      const [event] = await on.events(1);
      expect(event).toMatchObject({ charged: on.mock.bill(), counters: [] });
    });

    it('no budget where one is required: refused', async () => {
      const on = await start([], [], { env: { TOLLGATE_REQUIRE_BUDGET: 'true' } });
      expect(await chat(on)).toMatchObject({ status: 403, error: { code: 'no_budget' } });
    });

    it('several Hard budgets must all agree, and the one that does not is named', async () => {
      const on = await start([aSnapshotBudget({ name: 'rich' }), aSnapshotBudget({ name: 'poor', limits: [tiny] })]);
      const answer = await chat(on);
      expect([answer.status, answer.error?.code, answer.headers.get('x-tollgate-budget')]).toEqual([
        400,
        'budget_never_fits',
        'default/poor',
      ]);
    });

    it('a limit on other models does not bind', async () => {
      const on = await start([aSnapshotBudget({ limits: [{ ...tiny, models: ['gpt-5*'] }] })]);
      expect((await chat(on)).status).toBe(200);
    });

    it('a limit by user counts each user by itself', async () => {
      const on = await start([
        aSnapshotBudget({ waitSeconds: 0, limits: [aLimit({ unit: 'requests', max: '1', partitionBy: 'User' })] }),
      ]);
      const statuses = [];
      for (const user of ['ann', 'ann', 'bob']) statuses.push((await chat(on, { user })).status);
      expect(statuses).toEqual([200, 429, 200]);
    });

    it('a token limit counts what the provider says', async () => {
      const on = await start([
        aSnapshotBudget({ limits: [aLimit({ unit: 'tokens', count: 'Total', max: '100000' })] }),
      ]);
      await chat(on);
      const [event] = await on.events(1);
      const usage = on.mock.log[0]?.usage;
      expect(event?.counters[0]?.charged).toBe(
        BigInt((usage?.input ?? 0) + (usage?.cachedInput ?? 0) + (usage?.output ?? 0) + (usage?.reasoning ?? 0)),
      );
    });

    it('a changed snapshot takes effect for the next call, with no restart', async () => {
      const on = await start([aSnapshotBudget({ limits: [tiny] })]);
      expect((await chat(on)).status).toBe(400);
      on.controlPlane.setSnapshot(
        aSnapshot({ budgets: [aSnapshotBudget({ limits: [aLimit({ unit: 'cost', max: '1000000000' })] })] }),
      );
      expect((await chat(on)).status).toBe(200);
    });
  });

  describe('the output cap', () => {
    it('is put in where the caller gave none and a Hard limit counts money, and is said', async () => {
      const on = await start([aSnapshotBudget()]);
      const answer = await chat(on, { max_tokens: undefined });
      expect(Number(answer.headers.get('x-tollgate-max-output-tokens'))).toBeGreaterThanOrEqual(4096);
    });

    it('is left alone where only calls are counted', async () => {
      const on = await start([aSnapshotBudget({ limits: [aLimit({ unit: 'requests', max: '10' })] })]);
      expect((await chat(on, { max_tokens: undefined })).headers.get('x-tollgate-max-output-tokens')).toBeNull();
    });

    it('is lowered to what is left where the budget says Clamp', async () => {
      const body = { max_tokens: 10_000 };
      const refusing = await start([aSnapshotBudget({ limits: [aLimit({ unit: 'cost', max: '2000000' })] })]);
      expect((await chat(refusing, body)).error?.code).toBe('budget_never_fits');
      await refusing.stop();
      const on = await start([
        aSnapshotBudget({ onInsufficient: 'Clamp', limits: [aLimit({ unit: 'cost', max: '2000000' })] }),
      ]);
      const answer = await chat(on, body);
      const cap = Number(answer.headers.get('x-tollgate-max-output-tokens'));
      expect([answer.status, cap > 0 && cap < 10_000]).toEqual([200, true]);
    });
  });

  describe('prices', () => {
    const local = (price: ReturnType<typeof aBackend>['price']): SnapshotRoute =>
      aSnapshotRoute({
        rules: [
          aRule({ models: ['llama*'], backends: [aBackend({ name: 'ollama', provider: 'OpenAICompatible', price })] }),
        ],
      });
    const perMillion = {
      free: false,
      inputPerMillion: '1000000000',
      cachedInputPerMillion: null,
      cacheWritePerMillion: null,
      outputPerMillion: '2000000000',
    };

    it.each(['openai/v1/chat/completions', 'openai/v1/responses', 'anthropic/v1/messages'])(
      'a call to %s that names no model is a bad request under a money limit, and passes where no budget matches',
      async (path) => {
        const ask = ({ url }: Harness): Promise<CallAnswer> =>
          callJson(`${url}/${path}`, { ...aChat({ model: undefined }), input: 'hello' });
        const on = await start([aSnapshotBudget()]);
        const answer = await ask(on);
        expect(answer.status).toBe(400);
        expect(answer.text).toContain('model is missing');
        expect(on.mock.log).toHaveLength(0);
        if (path.startsWith('openai')) expect(answer.error).toMatchObject({ code: 'invalid_body', param: 'model' });
        else expect(answer.text).toContain('"type":"invalid_request_error"');
        await on.stop();
        await ask(await start([]));
        expect(harness?.mock.log).toHaveLength(1);
      },
    );

    it('a model without one is refused under a money limit, with what to do', async () => {
      const on = await start([aSnapshotBudget()], [local(null)]);
      const answer = await chat(on, { model: 'llama3' });
      expect(answer).toMatchObject({ status: 403, error: { code: 'unpriced_model' } });
      expect(answer.error?.message).toContain('mark it free');
    });

    it('a stated one is charged to the nano-dollar', async () => {
      const on = await start([aSnapshotBudget()], [local(perMillion)]);
      await chat(on, { model: 'llama3' });
      const [event] = await on.events(1);
      const usage = on.mock.log[0]?.usage;
      expect(event?.charged).toBe(BigInt(usage?.input ?? 0) * 1000n + BigInt(usage?.output ?? 0) * 2000n);
      expect(event?.priceRow?.source).toContain('ModelRoute default/models');
    });

    it('a free model goes on when the money is gone', async () => {
      const on = await start(
        [aSnapshotBudget({ limits: [aLimit({ unit: 'cost', max: '1' })] })],
        [local({ ...perMillion, free: true, inputPerMillion: null, outputPerMillion: null })],
      );
      expect((await chat(on)).status).toBe(400);
      expect((await chat(on, { model: 'llama3' })).status).toBe(200);
    });

    it('TokensOnly lets an unpriced model pass uncharged, and says that it is unproven', async () => {
      const on = await start(
        [aSnapshotBudget({ onUnpriced: { action: 'TokensOnly', inputPerMillion: null, outputPerMillion: null } })],
        [local(null)],
      );
      expect((await chat(on, { model: 'llama3' })).status).toBe(200);
      const [event] = await on.events(1);
      expect(event).toMatchObject({ charged: 0n, unproven: true });
    });

    it('the price that a budget states holds for models without one', async () => {
      const on = await start(
        [
          aSnapshotBudget({
            onUnpriced: { action: 'Price', inputPerMillion: '1000000000', outputPerMillion: '2000000000' },
          }),
        ],
        [local(null)],
      );
      await chat(on, { model: 'llama3' });
      const [event] = await on.events(1);
      const usage = on.mock.log[0]?.usage;
      expect(event?.charged).toBe(BigInt(usage?.input ?? 0) * 1000n + BigInt(usage?.output ?? 0) * 2000n);
    });

    it('a new model of a known family is held at the dearest and charged as the one that answered', async () => {
      const on = await start([aSnapshotBudget()]);
      const answer = await chat(on, { model: 'gpt-4o-mini-2031-01-01' });
      const [event] = await on.events(1);
      expect([
        answer.status,
        event?.unproven,
        (event?.held ?? 0n) > (event?.charged ?? 0n),
        (event?.charged ?? 0n) > 0n,
      ]).toEqual([200, true, true, true]);
    });
  });

  describe('calls whose cost nothing bounds', () => {
    const search = { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], web_search_options: {} };

    it('are held at the stated ceiling', async () => {
      const on = await start([aSnapshotBudget({ onUnboundable: { action: 'Ceiling', ceiling: '500000000' } })]);
      await chat(on, search);
      const [event] = await on.events(1);
      expect(event).toMatchObject({ held: 500_000_000n, unproven: true });
    });

    it('are charged a search that the answer does not count, and their hold where nobody knows its price', async () => {
      const on = await start([aSnapshotBudget({ onUnboundable: { action: 'Ceiling', ceiling: '500000000' } })]);
      await chat(on, search);
      await chat(on, { model: 'gpt-4o-search-preview', ...search });
      const [priced, unpriced] = await on.events(2);
      expect(priced).toMatchObject({ settle: 'usage', usage: { webSearch: 1 } });
      // $10 a thousand.
      expect(priced?.charged).toBeGreaterThan(10_000_000n);
      expect(unpriced).toMatchObject({ settle: 'estimated', usage: { webSearch: 1 }, charged: 500_000_000n });
    });

    it('are refused where the budget or its preset says so', async () => {
      for (const stated of [{ onUnboundable: { action: 'Refuse', ceiling: null } }, { preset: 'Strict' }] as const) {
        const on = await start([aSnapshotBudget(stated)]);
        expect(await chat(on, search)).toMatchObject({ status: 400, error: { code: 'unboundable_request' } });
        await on.stop();
      }
      harness = null;
    });

    it('unknown paths are refused under a Hard budget, or charged its ceiling', async () => {
      const refusing = await start([aSnapshotBudget()]);
      const speech = { model: 'tts-1', input: 'hello', voice: 'alloy' };
      expect(await callJson(`${refusing.url}/openai/v1/audio/speech`, speech)).toMatchObject({
        status: 400,
        error: { code: 'unboundable_request' },
      });
      await refusing.stop();
      const on = await start([aSnapshotBudget({ onUnboundable: { action: 'Ceiling', ceiling: '5000000' } })]);
      await callJson(`${on.url}/openai/v1/audio/speech`, speech);
      const [event] = await on.events(1);
      expect(event).toMatchObject({
        format: 'unmetered',
        settle: 'hold',
        charged: 5_000_000n,
        counters: [{ charged: 5_000_000n }],
      });
    });

    it('unknown paths pass without a budget and count as unmetered', async () => {
      const on = await start([]);
      await callJson(`${on.url}/openai/v1/audio/speech`, {});
      expect(await (await fetch(`${on.adminUrl}/metrics`)).text()).toContain('tollgate_unmetered_calls_total 1');
      expect(on.mock.log).toHaveLength(1);
    });

    it.each(['Soft', 'Audit'] as const)(
      'unknown paths pass a budget that only watches (%s), which counts them',
      async (enforcement) => {
        const limits = [aLimit({ name: 'money' }), aLimit({ name: 'calls', unit: 'requests', max: '5' })];
        const on = await start([aSnapshotBudget({ enforcement, limits })]);
        await callJson(`${on.url}/openai/v1/audio/speech`, {});
        expect(on.mock.log).toHaveLength(1);
        const [event] = await on.events(1);
        expect(event).toMatchObject({ format: 'unmetered', settle: 'hold', unproven: true, charged: 0n });
        expect(event?.counters.map(({ limit, charged }) => [limit, charged])).toEqual([
          ['money', 0n],
          ['calls', 1n],
        ]);
      },
    );

    it('unknown paths pass a budget that only watches also while calls cannot be recorded', async () => {
      const on = await start([aSnapshotBudget({ enforcement: 'Soft' })]);
      on.fillSpool(0.95);
      await callJson(`${on.url}/openai/v1/audio/speech`, {});
      expect(on.mock.log).toHaveLength(1);
    });
  });

  describe('routes', () => {
    const twoBackends = (
      when: readonly ('ServerError' | 'RateLimited' | 'ConnectError' | 'Timeout')[] = [
        'ServerError',
        'RateLimited',
        'ConnectError',
        'Timeout',
      ],
    ): SnapshotRoute =>
      aSnapshotRoute({
        rules: [
          aRule({
            backends: [aBackend({ name: 'first' }), aBackend({ name: 'second', model: 'gpt-4.1-nano' })],
            fallback: { when, maxAttempts: 2 },
            timeouts: { requestMs: null, firstByteMs: 300 },
          }),
        ],
      });

    it.each([
      ['a server that is too busy', { status: 503 }, 'void'],
      ['a failure that the provider owns up to', { status: 500 }, 'void'],
      ['a server error of which nothing is known', { status: 502, errorBody: '<html>bad gateway</html>' }, 'hold'],
      ['a server error without end', { status: 500, errorBody: 'x'.repeat(100_000) }, 'hold'],
      ['a server error that is cut off', { status: 500, abortAfterBytes: 10, abortKind: 'reset' }, 'hold'],
      ['a server error that never comes to its end', { status: 500, hang: 'body' }, 'hold'],
      ['a rate limit', { status: 429 }, 'void'],
    ] as const)(
      '%s goes to the fallback, each try with a hold and an event of its own',
      async (_what, behaviour, settle) => {
        const on = await start([aSnapshotBudget()], [twoBackends()]);
        on.mock.script({ match: { model: 'gpt-4o-mini' }, behaviour });
        const answer = await chat(on);
        expect([answer.status, answer.text.includes('gpt-4.1-nano')]).toEqual([200, true]);
        const events = await on.events(2);
        expect(
          events.map(({ attempt, backend, modelSent, settle: how }) => [attempt, backend, modelSent, how]),
        ).toEqual([
          [1, 'first', 'gpt-4o-mini', settle],
          [2, 'second', 'gpt-4.1-nano', 'usage'],
        ]);
        expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(1);
      },
    );

    it('a failure that the provider owns up to costs nothing, but under Strict', async () => {
      const failing = { behaviour: { status: 500 } } as const;
      const on = await start([aSnapshotBudget()]);
      on.mock.script(failing);
      expect((await chat(on)).headers.get('x-tollgate-cost-usd')).toBe('0.000000000');
      await on.stop();
      const strict = await start([aSnapshotBudget({ preset: 'Strict' })]);
      strict.mock.script(failing);
      const answer = await chat(strict);
      const [event] = await strict.events(1);
      expect([answer.status, event?.settle, event?.charged]).toEqual([500, 'hold', event?.held]);
    });

    it('the cost in the answer is that of the whole call, every try of it', async () => {
      const on = await start([aSnapshotBudget()], [twoBackends()]);
      on.mock.script({ match: { model: 'gpt-4o-mini' }, behaviour: { status: 502, errorBody: 'bad gateway' } });
      const answer = await chat(on);
      const events = await on.events(2);
      expect(answer.headers.get('x-tollgate-cost-usd')).toBe(
        formatUsd(events.reduce((sum, { charged }) => sum + charged, 0n)),
      );
    });

    it('a call that asked for a dearer tier and was served without pays the plain price', async () => {
      const on = await start([aSnapshotBudget()]);
      const answer = await chat(on, { service_tier: 'priority' });
      const [event] = await on.events(1);
      expect(answer.text).toContain('"service_tier": "default"');
      expect(event?.charged).toBe(on.mock.bill());
      expect(event?.held).toBeGreaterThan(on.mock.bill());
    });

    it('a backend that hangs is left after its timeout', async () => {
      const on = await start([aSnapshotBudget()], [twoBackends()]);
      on.mock.script({ match: { model: 'gpt-4o-mini' }, behaviour: { hang: 'head' } });
      expect((await chat(on)).status).toBe(200);
    });

    it('what is no reason to fall back reaches the caller as it is', async () => {
      const on = await start([aSnapshotBudget()], [twoBackends(['ConnectError'])]);
      on.mock.script({ behaviour: { status: 429, retryAfter: '7' } });
      const answer = await chat(on);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    });

    it('a credential of the route replaces the caller’s, and one that cannot be read is named', async () => {
      const credential = { name: 'openai-key', key: 'api-key' };
      const route = aSnapshotRoute({ rules: [aRule({ backends: [aBackend({ credential })] })] });
      const without = await start([], [route]);
      const answer = await chat(without);
      expect([answer.status, answer.error?.code, answer.error?.message.includes('openai-key')]).toEqual([
        502,
        'credential_missing',
        true,
      ]);
      await without.stop();
      const on = await start([], [route], { env: { TOLLGATE_SECRET_OPENAI_KEY_API_KEY: 'sk-from-the-route' } });
      on.mock.script({ behaviour: { status: 400, echoAuthorization: true } });
      const echoed = await chat(on);
      expect([
        echoed.text.includes('sk-from-the-route'),
        echoed.text.includes('[redacted]'),
        echoed.text.includes('test-key'),
      ]).toEqual([false, true, false]);
    });

    it('a rule without a backend of the call’s format is refused, not passed by', async () => {
      const on = await start(
        [],
        [aSnapshotRoute({ rules: [aRule({ backends: [aBackend({ provider: 'Anthropic' })] })] })],
      );
      expect(await chat(on)).toMatchObject({ status: 400, error: { code: 'no_backend' } });
    });
  });
});
