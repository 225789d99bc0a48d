/** An ordinary afternoon: many calls at once on a budget that nothing has been spent of are not told to wait. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, startHarness, type Harness } from '@tollgate/sidecar/testing';
import { post } from './testing/exchange-bytes.ts';
import { pngUrl } from './testing/png.ts';

const CALLS = 50;
const KB = 1000;
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-5', 'claude-haiku-4-5', 'gemini-2.5-flash'];
const WORDS = 'The committee agreed that the bridge over the river shall be mended before winter, at whatever toll. ';

/** Prompts of 2 to 40 KB, a quarter with a picture. No call says how long its answer may be, but Anthropic's must. */
const ordinaryCall = (index: number): { readonly path: string; readonly body: string } => {
  const model = MODELS[index % MODELS.length] ?? '';
  const text = WORDS.repeat(Math.ceil(((2 + (index * 38) / (CALLS - 1)) * KB) / WORDS.length));
  const picture = index % 4 === 0 ? pngUrl(1280, 800, 30 * KB) : null;
  if (model.startsWith('gemini')) {
    const data = picture?.slice(picture.indexOf(',') + 1);
    const parts = [{ text }, ...(data === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data } }])];
    return {
      path: `/gemini/v1beta/models/${model}:generateContent`,
      body: JSON.stringify({ contents: [{ role: 'user', parts }] }),
    };
  }
  if (model.startsWith('claude')) {
    const data = picture?.slice(picture.indexOf(',') + 1);
    const content = [
      { type: 'text', text },
      ...(data === undefined ? [] : [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }]),
    ];
    return {
      path: '/anthropic/v1/messages',
      body: JSON.stringify({ model, max_tokens: 4096, messages: [{ role: 'user', content }] }),
    };
  }
  const content = [
    { type: 'text', text },
    ...(picture === null ? [] : [{ type: 'image_url', image_url: { url: picture } }]),
  ];
  return {
    path: '/openai/v1/chat/completions',
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], stream: index % 2 === 0 }),
  };
};

let harness: Harness;
beforeAll(async () => {
  const budget = aSnapshotBudget({ limits: [aLimit({ max: '25000000000' })] });
  harness = await startHarness({ snapshot: aSnapshot({ budgets: [budget] }) });
  harness.mock.script({ behaviour: { delayMs: 300 } });
});
afterAll(() => harness.stop());

it('admits at least 48 of 50 ordinary calls at once on a fresh budget of $25', async () => {
  const answers = await Promise.all(
    Array.from({ length: CALLS }, (_, index) => {
      const { path, body } = ordinaryCall(index);
      return post(`${harness.url}${path}`, body);
    }),
  );
  const refused = answers.filter(({ status }) => status !== 200).map(({ body }) => body.toString());
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(48);
  const events = await harness.events(CALLS - refused.length);
  expect(events.every(({ settle }) => settle === 'usage')).toBe(true);
  expect(events.every(({ held, charged }) => held >= charged)).toBe(true);
});
