/** Runs in a pod: OpenAI's own client with its defaults, which finds key and address in the environment. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { APIError } from 'openai';
import type { Outcome } from './app.ts';

const PORT = 8080;
const client = new OpenAI();
const messages = [{ role: 'user' as const, content: 'Why do bridges have tolls? '.repeat(20) }];

const ask = async (): Promise<Outcome> => {
  try {
    const { response } = await client.chat.completions
      .create({ model: 'gpt-4o', messages, max_completion_tokens: 200 })
      .withResponse();
    const costUsd = response.headers.get('x-tollgate-cost-usd');
    return { ok: true, ...(costUsd === null ? {} : { costUsd }) };
  } catch (error) {
    if (!(error instanceof APIError)) return { ok: false, error: String(error) };
    const { status, message, constructor } = error;
    return { ok: false, error: constructor.name, message, ...(status === undefined ? {} : { status }) };
  }
};

const askOften = async (calls: number, atOnce: number, pauseMs: number): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  let left = calls;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      outcomes.push(await ask());
      await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return outcomes;
};

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://app');
  const given = (name: string): number => Number(url.searchParams.get(name) ?? '0');
  const answer =
    url.pathname === '/ask' ? askOften(given('calls'), given('atOnce'), given('pauseMs')) : Promise.resolve([]);
  void answer.then((outcomes) => response.end(JSON.stringify(outcomes)));
}).listen(PORT);

process.on('SIGTERM', () => process.exit(0));
