/** One call of each format: its path at the proxy and at the provider, and a body that leaves Tollgate nothing to add. */
export interface WireCall {
  readonly name: string;
  /** Below the proxy's base URL, and below the provider's. */
  readonly path: string;
  readonly providerPath: string;
  readonly isStream: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

const messages = [{ role: 'user', content: 'Wie viel kostet die Brücke? 🌉' }];
const stream = { stream: true };
const withUsage = { ...stream, stream_options: { include_usage: true } };

const call = (
  name: string,
  path: string,
  providerPath: string,
  body: Readonly<Record<string, unknown>>,
  isStream = body['stream'] === true,
): WireCall => ({ name: isStream ? `${name}, streamed` : name, path, providerPath, isStream, body });

const pair = (
  name: string,
  path: string,
  providerPath: string,
  body: Readonly<Record<string, unknown>>,
  streamed: Readonly<Record<string, unknown>> = stream,
): WireCall[] => [call(name, path, providerPath, body), call(name, path, providerPath, { ...body, ...streamed })];

const chat = { model: 'gpt-4o', messages, max_completion_tokens: 400 };
const azurePath = '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21';
const contents = [{ role: 'user', parts: [{ text: 'Wie viel kostet die Brücke? 🌉' }] }];
const gemini = { contents, generationConfig: { maxOutputTokens: 400 } };
const flash = '/v1beta/models/gemini-2.0-flash';

export const WIRE_CALLS: readonly WireCall[] = [
  ...pair('chat', '/openai/v1/chat/completions', '/v1/chat/completions', chat, withUsage),
  ...pair(
    'completions',
    '/openai/v1/completions',
    '/v1/completions',
    { model: 'gpt-3.5-turbo-instruct', prompt: 'Über die', max_tokens: 40 },
    withUsage,
  ),
  ...pair('responses', '/openai/v1/responses', '/v1/responses', {
    model: 'gpt-4o',
    input: 'Wie viel?',
    max_output_tokens: 400,
  }),
  call('embeddings', '/openai/v1/embeddings', '/v1/embeddings', { model: 'text-embedding-3-small', input: ['ä', 'b'] }),
  ...pair('messages', '/anthropic/v1/messages', '/v1/messages', {
    model: 'claude-haiku-4-5',
    messages,
    max_tokens: 400,
  }),
  call('generateContent', `/gemini${flash}:generateContent`, `${flash}:generateContent`, gemini),
  call(
    'generateContent as events',
    `/gemini${flash}:streamGenerateContent?alt=sse`,
    `${flash}:streamGenerateContent?alt=sse`,
    gemini,
    true,
  ),
  call(
    'generateContent as an array',
    `/gemini${flash}:streamGenerateContent`,
    `${flash}:streamGenerateContent`,
    gemini,
    true,
  ),
  ...pair('azure chat', `/azure${azurePath}`, azurePath, { ...chat, model: undefined }, withUsage),
];
