/** Calls as an app might make them, drawn by a seed: every format, streamed or not, with what makes bills differ. */
import { makeDice, type Dice } from './dice.ts';
import { pngUrl } from './png.ts';

export interface RandomCall {
  /** The provider's log repeats it. */
  readonly label: string;
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The caller hangs up once it has received so many bytes; null = it stays. */
  readonly hangsUpAfter: number | null;
}

type Json = Readonly<Record<string, unknown>>;
interface Draft {
  readonly path: string;
  readonly body: Json;
  /** A stream of a model that says all that it is paid for: what was delivered then bounds what is billed. */
  readonly isPlainStream: boolean;
}

/** The text by which the provider is told to be busy, and the model whose route knows a second backend. */
export const BUSY = '[busy]';
export const ROUTED_MODEL = 'gpt-4.1';
/** Chunks come this slowly for a caller who hangs up: what is left lasts longer than the proxy reads on. */
const SLOW = { 'x-mock-chunk-delay': '40', 'x-mock-output-tokens': '200' };
const HANGS_UP_AFTER = 600;

export const randomCalls = (seed: number, count: number): RandomCall[] => {
  const dice = makeDice(seed);
  return Array.from({ length: count }, (_, index) => {
    const label = `call-${String(index)}`;
    const { path, body, isPlainStream } = dice.pick(DRAFTS)(dice, index);
    const hangsUp = isPlainStream && dice.percent(8);
    const headers = { 'x-mock-label': label, ...(hangsUp ? SLOW : mishap(dice)) };
    return { label, path, body: JSON.stringify(body), headers, hangsUpAfter: hangsUp ? HANGS_UP_AFTER : null };
  });
};

const mishap = (dice: Dice): Readonly<Record<string, string>> => {
  if (dice.percent(2)) return { 'x-mock-status': '400' };
  if (dice.percent(2)) return { 'x-mock-status': '500' };
  if (dice.percent(3)) return { 'x-mock-usage': 'missing' };
  if (dice.percent(2)) return { 'x-mock-usage': 'twice' };
  if (dice.percent(2)) return { 'x-mock-error-after-chunks': '6' };
  return {};
};

const tools = [{ name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];
const picture = pngUrl(640, 480, 300);
const pictureData = picture.slice(picture.indexOf(',') + 1);
/** Long enough for a provider to keep, few enough to be met again. */
const PREFIXES = ['toll ', 'gate ', 'Brücke '].map((word) => word.repeat(1200));

const words = (dice: Dice): string =>
  dice.pick(['What does it cost?', 'How is the weather?', 'Wie viel kostet die Brücke? 🌉', 'Why? '.repeat(80)]);

const openAiMessages = (dice: Dice, index: number, mark = ''): Json[] => {
  const text = `${words(dice)} ${mark} ${String(index)}`;
  const content = dice.percent(15)
    ? [
        { type: 'text', text },
        { type: 'image_url', image_url: { url: picture, detail: dice.pick(['low', 'high']) } },
      ]
    : text;
  const system = dice.percent(20) ? [{ role: 'system', content: PREFIXES[dice.roll(PREFIXES.length)] }] : [];
  return [...system, { role: 'user', content }];
};

const chatBody = (dice: Dice, index: number, mark = ''): Json => {
  const stream = dice.percent(50);
  return {
    messages: openAiMessages(dice, index, mark),
    ...(dice.percent(20) ? { tools: tools.map((each) => ({ type: 'function', function: each })) } : {}),
    ...(dice.percent(40) ? { max_completion_tokens: 16 + dice.roll(400) } : {}),
    ...(dice.percent(10) ? { n: 2 } : {}),
    ...(dice.percent(20) ? { user: `user-${String(dice.roll(5))}` } : {}),
    ...(stream ? { stream } : {}),
    ...(stream && dice.percent(40) ? { stream_options: { include_usage: true } } : {}),
  };
};

const chat = (dice: Dice, index: number): Draft => {
  const model = dice.pick(['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'o4-mini']);
  const body = chatBody(dice, index);
  return {
    path: '/openai/v1/chat/completions',
    body: { model, ...body },
    isPlainStream: body['stream'] === true && model.startsWith('gpt-4o'),
  };
};

/** Half of these find the first backend busy, so that a second attempt is made, and billed by the other model. */
const routed = (dice: Dice, index: number): Draft => ({
  path: '/v1/chat/completions',
  body: { model: ROUTED_MODEL, ...chatBody(dice, index, dice.percent(50) ? BUSY : '') },
  isPlainStream: false,
});

const azure = (dice: Dice, index: number): Draft => {
  const body = chatBody(dice, index);
  return {
    path: '/azure/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21',
    body,
    isPlainStream: body['stream'] === true,
  };
};

const completion = (dice: Dice, index: number): Draft => ({
  path: '/openai/v1/completions',
  body: {
    model: 'gpt-3.5-turbo-instruct',
    prompt: dice.percent(30) ? ['one', 'two', String(index)] : `${words(dice)} ${String(index)}`,
    ...(dice.percent(70) ? { max_tokens: 1 + dice.roll(60) } : {}),
    ...(dice.percent(50) ? { stream: true } : {}),
  },
  isPlainStream: false,
});

const response = (dice: Dice, index: number): Draft => {
  const model = dice.pick(['gpt-4o', 'gpt-5-mini']);
  const stream = dice.percent(50);
  return {
    path: '/openai/v1/responses',
    body: {
      model,
      input: `${words(dice)} ${String(index)}`,
      ...(dice.percent(20) ? { instructions: PREFIXES[dice.roll(PREFIXES.length)] } : {}),
      ...(dice.percent(20) ? { tools: tools.map((each) => ({ type: 'function', strict: false, ...each })) } : {}),
      ...(dice.percent(40) ? { max_output_tokens: 16 + dice.roll(400) } : {}),
      ...(stream ? { stream } : {}),
    },
    isPlainStream: stream && model === 'gpt-4o',
  };
};

const embedding = (dice: Dice, index: number): Draft => ({
  path: '/openai/v1/embeddings',
  body: {
    model: 'text-embedding-3-small',
    input: dice.pick<unknown>([words(dice), [words(dice), String(index)], [1, 2, 3, index]]),
    dimensions: 8,
  },
  isPlainStream: false,
});

const message = (dice: Dice, index: number): Draft => {
  const stream = dice.percent(50);
  const text = `${words(dice)} ${String(index)}`;
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pictureData } };
  const ttl = dice.pick(['5m', '1h']);
  const system = [
    { type: 'text', text: PREFIXES[dice.roll(PREFIXES.length)], cache_control: { type: 'ephemeral', ttl } },
  ];
  return {
    path: '/anthropic/v1/messages',
    body: {
      model: 'claude-haiku-4-5',
      max_tokens: 16 + dice.roll(1500),
      messages: [{ role: 'user', content: dice.percent(15) ? [{ type: 'text', text }, image] : text }],
      ...(dice.percent(40) ? { system } : {}),
      ...(dice.percent(20) ? { tools: tools.map(({ name, parameters }) => ({ name, input_schema: parameters })) } : {}),
      ...(dice.percent(20) ? { thinking: { type: 'enabled', budget_tokens: 1024 } } : {}),
      ...(stream ? { stream } : {}),
    },
    isPlainStream: stream,
  };
};

const gemini = (dice: Dice, index: number): Draft => {
  const model = dice.pick(['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro']);
  const action = dice.pick(['generateContent', 'streamGenerateContent', 'streamGenerateContent?alt=sse']);
  const image = dice.percent(15) ? [{ inlineData: { mimeType: 'image/png', data: pictureData } }] : [];
  return {
    path: `/gemini/v1beta/models/${model}:${action}`,
    body: {
      contents: [{ role: 'user', parts: [{ text: `${words(dice)} ${String(index)}` }, ...image] }],
      ...(dice.percent(20) ? { tools: [{ functionDeclarations: tools }] } : {}),
      ...(dice.percent(40) ? { generationConfig: { maxOutputTokens: 16 + dice.roll(400) } } : {}),
    },
    isPlainStream: action.startsWith('stream') && model === 'gemini-2.0-flash',
  };
};

const DRAFTS: readonly [typeof chat, ...(typeof chat)[]] = [
  chat,
  chat,
  chat,
  routed,
  azure,
  completion,
  response,
  response,
  embedding,
  message,
  message,
  gemini,
  gemini,
];
