/**
 * Every charge can be explained: of a thousand calls of all kinds, through the whole standalone instance, what `explain`
 * says call by call adds up to what the budgets say, and is to the nano-dollar what the provider would bill.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseManifest, type Resource } from '@tollgate/api/schema';
import { silentLogger } from '@tollgate/runtime';
import { runStandalone, type Standalone } from '@tollgate/standalone';
import { LIST_PRICES, startMockProvider, totalBilled, type MockProvider } from '@tollgate/testkit';
import { inTurns } from './testing/in-turns.ts';
import { SOURCE_PROGRAMS } from './testing/programs.ts';
import { BUSY, randomCalls, ROUTED_MODEL, type RandomCall } from './testing/random-calls.ts';

const CALLS = 1000;
const AT_ONCE = 16;
const SEED = 20_261_121;
const LIMIT_MS = 300_000;

const manifest = (kind: string, name: string, spec: unknown): Resource => {
  const parsed = parseManifest({ apiVersion: 'tollgate.dev/v1alpha1', kind, metadata: { name }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.resource;
};
const RESOURCES = [
  manifest('TokenBudget', 'all', {
    limits: [
      { name: 'money', period: 'Total', cost: { max: '100000' } },
      { name: 'calls', period: 'Total', requests: { max: 1_000_000 } },
    ],
  }),
  manifest('TokenBudget', 'soft', {
    enforcement: 'Soft',
    limits: [{ name: 'money', period: 'Total', cost: { max: '0.01' } }],
  }),
  manifest('ModelRoute', 'spare', {
    rules: [
      {
        name: 'busy',
        models: [ROUTED_MODEL],
        backends: [
          { name: 'first', provider: { type: 'OpenAI' } },
          { name: 'spare', provider: { type: 'OpenAI' }, model: 'gpt-4.1-mini', priority: 1 },
        ],
        fallback: { when: ['ServerError'] },
      },
    ],
  }),
];

interface Charge {
  readonly budget: string;
  readonly limit: string;
  readonly charged: bigint;
}
interface Explained {
  readonly call: RandomCall;
  readonly charged: bigint;
  readonly settles: readonly string[];
  readonly charges: readonly Charge[];
}

let dir: string;
let mock: MockProvider;
let standalone: Standalone;
let explained: readonly Explained[];
let spent: ReadonlyMap<string, bigint>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-explain-'));
  mock = await startMockProvider({
    // https://platform.openai.com/docs/pricing, "Legacy models"
    prices: { ...LIST_PRICES, 'gpt-3.5-turbo-instruct': { input: 1_500_000_000n, output: 2_000_000_000n } },
  });
  mock.script({ match: { model: ROUTED_MODEL, body: BUSY }, behaviour: { status: 503 } });
  standalone = await runStandalone({
    resources: { fixed: RESOURCES },
    stateDir: dir,
    cacheDir: null,
    databaseUrl: null,
    inMemory: true,
    ports: { proxy: 0, admin: 0, server: 0 },
    subject: { namespace: 'default', workload: 'local', labels: {}, team: 'default' },
    secretsDir: null,
    isMock: false,
    upstreams: { openai: `${mock.url}/v1`, anthropic: mock.url, gemini: mock.url, azure: mock.url },
    requireBudget: true,
    programs: SOURCE_PROGRAMS,
    env: { PATH: process.env['PATH'] },
    graceMs: 30_000,
    now: Date.now,
    pid: process.pid,
    log: silentLogger(),
    onChildLine: () => undefined,
    onManifests: () => undefined,
  });
  const calls = randomCalls(SEED, CALLS);
  const ids = await inTurns(calls, AT_ONCE, makeCall);
  await mock.untilIdle();
  await standalone.drainProxy();
  explained = await inTurns(
    calls.map((call, index) => ({ call, id: ids[index] ?? '' })),
    AT_ONCE,
    explain,
  );
  spent = await spentOf();
}, LIMIT_MS);
afterAll(async () => {
  await standalone.stop();
  await mock.stop();
  rmSync(dir, { recursive: true, force: true });
}, LIMIT_MS);

/** The request id that the caller was told. */
const makeCall = async ({ path, body, headers, hangsUpAfter }: RandomCall): Promise<string> => {
  const answer = await fetch(`${standalone.proxyUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', ...headers },
    body,
  });
  const chunks: AsyncIterable<Uint8Array> | null = answer.body;
  if (chunks === null) throw new Error(`${path}: an answer without a body`);
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    if (hangsUpAfter !== null && received >= hangsUpAfter) break; // which closes the connection
  }
  return answer.headers.get('x-tollgate-request-id') ?? `none: ${String(answer.status)}`;
};

const ask = async (path: string): Promise<unknown> => {
  const token = readFileSync(standalone.tokenFile, 'utf8').trim();
  const answer = await fetch(`${standalone.serverUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(`${path}: ${String(answer.status)} ${await answer.text()}`);
  return answer.json();
};

const explain = async ({ call, id }: { readonly call: RandomCall; readonly id: string }): Promise<Explained> => {
  const { charged, attempts } = (await ask(`/v1/explain/${id}`)) as {
    readonly charged: string;
    readonly attempts: readonly {
      readonly settle: string;
      readonly charged: string;
      readonly counters: readonly { readonly budget: string; readonly limit: string; readonly charged: string }[];
    }[];
  };
  const sum = attempts.reduce((total, attempt) => total + BigInt(attempt.charged), 0n);
  if (sum !== BigInt(charged)) throw new Error(`${id}: the attempts do not add up to the call`);
  return {
    call,
    charged: sum,
    settles: attempts.map(({ settle }) => settle),
    charges: attempts.flatMap(({ counters }) =>
      counters.map(({ budget, limit, charged: amount }) => ({ budget, limit, charged: BigInt(amount) })),
    ),
  };
};

/** By budget and limit, in its own unit. */
const spentOf = async (): Promise<ReadonlyMap<string, bigint>> => {
  const { budgets } = (await ask('/v1/budgets')) as {
    readonly budgets: readonly {
      readonly columns: { readonly namespace: string; readonly name: string };
      readonly limits: readonly { readonly name: string; readonly spent: string }[];
    }[];
  };
  return new Map(
    budgets.flatMap(({ columns, limits }) =>
      limits.map((limit) => [`${columns.namespace}/${columns.name} ${limit.name}`, BigInt(limit.spent)] as const),
    ),
  );
};

const billOf = (label: string): bigint => totalBilled(mock.log.filter((call) => call.label === label));
const isExact = ({ settles }: Explained): boolean => settles.every((settle) => settle === 'usage' || settle === 'void');

describe(`${String(CALLS)} random calls`, () => {
  it('are of every kind: charged by usage, at the hold, abandoned, void, and in two attempts', () => {
    const settles = new Set(explained.flatMap((each) => each.settles));
    expect([...settles].sort()).toEqual(['abandoned', 'hold', 'usage', 'void']);
    expect(explained.filter((each) => each.settles.length === 2).length).toBeGreaterThan(10);
    expect(explained.filter(isExact).length).toBeGreaterThan(CALLS * 0.8);
  });

  it('are each charged what the provider bills, to the nano-dollar, where it said what was used', () => {
    const wrong = explained.filter(isExact).filter(({ call, charged }) => charged !== billOf(call.label));
    expect(wrong.map(({ call, charged }) => [call.path, charged, billOf(call.label)])).toEqual([]);
  });

  it('are never charged less than the provider bills, and never nothing, where it did not', () => {
    const wrong = explained
      .filter((each) => !isExact(each))
      .filter(({ call, charged }) => charged === 0n || charged < billOf(call.label));
    expect(wrong.map(({ call, charged, settles }) => [call.path, settles, charged, billOf(call.label)])).toEqual([]);
  });

  it('add up to what each limit of each budget says is spent', () => {
    const sums = new Map<string, bigint>();
    for (const { budget, limit, charged } of explained.flatMap(({ charges }) => charges)) {
      const name = `${budget} ${limit}`;
      sums.set(name, (sums.get(name) ?? 0n) + charged);
    }
    expect(new Map([...sums].sort())).toEqual(new Map([...spent].sort()));
    const total = explained.reduce((sum, { charged }) => sum + charged, 0n);
    expect([spent.get('default/all money'), spent.get('default/soft money')]).toEqual([total, total]);
  });
});
