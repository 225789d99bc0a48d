/**
 * Runs in a pod: OpenAI's own client with its defaults, which finds key and address in the environment. `/ask` answers
 * with what became of its calls; `/begin` goes on calling until `/end`, which answers for all that began. On SIGTERM it
 * begins no further call, lets those under way end, answers and goes.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { APIError } from 'openai';
import type { Outcome } from './app.ts';

const PORT = 8080;
const SWEEP_MS = 100;
const client = new OpenAI();
const asked = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'Why do bridges have tolls? '.repeat(20) }],
  max_completion_tokens: 200,
};

interface Calls {
  readonly calls: number;
  readonly atOnce: number;
  readonly pauseMs: number;
  readonly stream: boolean;
  /** What the SDK would try again shows as the failure that it was. */
  readonly once: boolean;
  readonly signal: AbortSignal;
}

let isStopping = false;

const askWhole = async (options: { readonly maxRetries?: number }): Promise<Outcome> => {
  const { response } = await client.chat.completions.create(asked, options).withResponse();
  const costUsd = response.headers.get('x-tollgate-cost-usd');
  const requestId = response.headers.get('x-tollgate-request-id');
  return { ok: true, ...(costUsd === null ? {} : { costUsd }), ...(requestId === null ? {} : { requestId }) };
};

/** A stream that is cut off between two events ends like any other: only its last event says that it was all. */
const askStream = async (options: { readonly maxRetries?: number }): Promise<Outcome> => {
  let isWhole = false;
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }, options))
    isWhole ||= typeof choices[0]?.finish_reason === 'string';
  return isWhole ? { ok: true } : { ok: false, error: 'the stream ended without its end' };
};

const ask = async ({ stream, once }: Calls): Promise<Outcome> => {
  const options = once ? { maxRetries: 0 } : {};
  const began = isStopping;
  try {
    const outcome = await (stream ? askStream(options) : askWhole(options));
    return { ...outcome, ...(isStopping && !began ? { endedWhileStopping: true } : {}) };
  } catch (error) {
    if (!(error instanceof APIError)) return { ok: false, error: String(error) };
    const { status, message, constructor } = error;
    return { ok: false, error: constructor.name, message, ...(status === undefined ? {} : { status }) };
  }
};

const askOften = async (wish: Calls): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  let left = wish.calls;
  const one = async (): Promise<void> => {
    while (left > 0 && !isStopping && !wish.signal.aborted) {
      left -= 1;
      outcomes.push(await ask(wish));
      await sleep(wish.pauseMs, undefined, { signal: wish.signal }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: wish.atOnce }, one));
  return outcomes;
};

/** What goes on behind an answer that has been given. */
let begun: { readonly outcomes: Promise<readonly Outcome[]>; end(): void } | null = null;

const answer = (url: URL): Promise<readonly Outcome[]> => {
  const number = (name: string): number => Number(url.searchParams.get(name) ?? '0');
  const ending = new AbortController();
  const wish = {
    calls: number('calls'),
    atOnce: number('atOnce'),
    pauseMs: number('pauseMs'),
    stream: url.searchParams.get('stream') === 'true',
    once: url.searchParams.get('once') === 'true',
    signal: ending.signal,
  };
  switch (url.pathname) {
    case '/ask':
      return askOften(wish);
    case '/begin':
      begun?.end();
      begun = { outcomes: askOften({ ...wish, calls: Infinity }), end: () => ending.abort() };
      return Promise.resolve([]);
    case '/end':
      begun?.end();
      return begun?.outcomes ?? Promise.resolve([]);
    default:
      return Promise.resolve([]);
  }
};

const server = createServer((request, response) => {
  void answer(new URL(request.url ?? '/', 'http://app')).then((outcomes) => response.end(JSON.stringify(outcomes)));
}).listen(PORT);

process.on('SIGTERM', () => {
  isStopping = true;
  begun?.end();
  server.close(() => process.exit(0));
  // One that is kept open after its answer would keep us.
  setInterval(() => server.closeIdleConnections(), SWEEP_MS);
});
