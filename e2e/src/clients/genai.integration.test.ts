/** Google's own client, unmodified but for its base URL: what it gets through the proxy is what the provider says. */
import { ApiError, createPartFromFunctionResponse, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, startHarness, type Harness } from '@tollgate/sidecar/testing';
import { lendOuterDispatcher } from '@tollgate/testkit';
import { countRefusals } from '../testing/refusals.ts';

const model = 'gemini-2.5-flash';
const contents = 'What does the bridge cost?';
const tools = [
  {
    functionDeclarations: [
      { name: 'get_weather', parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } } },
    ],
  },
];
const calling = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } };

const client = (baseUrl: string): GoogleGenAI => new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl } });
const through = ({ url }: Harness): GoogleGenAI => client(`${url}/gemini`);
const direct = ({ mock }: Harness): GoogleGenAI => client(mock.url);

/** Without the HTTP response that the client hangs on each answer: its headers differ, and are compared elsewhere. */
const bare = <T extends object>(answer: T): T => ({ ...answer, sdkHttpResponse: undefined });

const all = async <T extends object>(stream: AsyncIterable<T>): Promise<T[]> => {
  const parts: T[] = [];
  for await (const part of stream) parts.push(bare(part));
  return parts;
};

const METERED: readonly (readonly [string, (google: GoogleGenAI) => Promise<unknown>])[] = [
  ['content', async (google) => bare(await google.models.generateContent({ model, contents }))],
  ['content, streamed', async (google) => all(await google.models.generateContentStream({ model, contents }))],
  [
    'a function’s call',
    async (google) => bare(await google.models.generateContent({ model, contents, config: calling })),
  ],
  [
    'a function’s call, streamed',
    async (google) => all(await google.models.generateContentStream({ model, contents, config: calling })),
  ],
];
const FREE: typeof METERED = [
  ['a count of tokens', async (google) => bare(await google.models.countTokens({ model, contents }))],
  ['a list of models', async (google) => all(await google.models.list())],
];

const start = (limit: Parameters<typeof aLimit>[0]): Promise<Harness> =>
  startHarness({ snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [aLimit(limit)] })] }) });

beforeAll(lendOuterDispatcher);

describe('with money left', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ max: '25000000000' });
  });
  afterAll(() => harness.stop());

  it.each([...METERED, ...FREE])('answers %s as the provider itself does', async (_name, call) => {
    expect(await call(through(harness))).toEqual(await call(direct(harness)));
  });

  it('lets a function’s result make its round trip', async () => {
    const google = through(harness);
    const first = await google.models.generateContent({ model, contents, config: calling });
    expect(first.functionCalls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
    const later = await google.models.generateContent({
      model,
      config: { tools },
      contents: [
        { role: 'user', parts: [{ text: contents }] },
        { role: 'model', parts: [{ functionCall: { name: 'get_weather', args: { city: 'Paris' } } }] },
        { role: 'user', parts: [createPartFromFunctionResponse('call-1', 'get_weather', { sky: 'blue' })] },
      ],
    });
    expect(later.text).toContain('blue');
  });
});

describe('with a budget that is exhausted', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ unit: 'requests', max: '1' });
    await through(harness).models.generateContent({ model, contents });
    await harness.events(1);
  });
  afterAll(() => harness.stop());

  it.each(METERED)('raises ApiError 429 for %s, after asking once', async (_name, call) => {
    const before = await countRefusals(harness, 'budget_exhausted');
    const refusal = call(through(harness));
    await expect(refusal).rejects.toBeInstanceOf(ApiError);
    await expect(refusal).rejects.toMatchObject({ status: 429 });
    await expect(refusal).rejects.toThrow(/TokenBudget default\/chat, limit .*daily.* is exhausted/);
    await expect(refusal).rejects.toThrow('RESOURCE_EXHAUSTED');
    expect(await countRefusals(harness, 'budget_exhausted')).toBe(before + 1);
    expect(harness.mock.log).toHaveLength(1);
  });

  it('still counts tokens and lists models', async () => {
    for (const [, call] of FREE) expect(await call(through(harness))).toEqual(await call(direct(harness)));
  });
});

describe('with a limit below what one call can cost', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ max: '1000' });
  });
  afterAll(() => harness.stop());

  it('raises ApiError 400, which says what was needed', async () => {
    const call = through(harness).models.generateContent({ model, contents, config: { maxOutputTokens: 1000 } });
    await expect(call).rejects.toMatchObject({ status: 400 });
    await expect(call).rejects.toThrow(/TokenBudget default\/chat, limit .*daily.*: this call can cost up to \$0\.0/);
    expect(await countRefusals(harness, 'budget_never_fits')).toBe(1);
  });
});
