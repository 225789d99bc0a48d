/** An app as anyone would write it: it calls a model at the address in OPENAI_BASE_URL and knows nothing of budgets. */
import { setTimeout as sleep } from 'node:timers/promises';

const { OPENAI_BASE_URL } = process.env;
if (OPENAI_BASE_URL === undefined) {
  console.error('OPENAI_BASE_URL is not set: this pod was not injected');
  process.exit(1);
}

const MODELS = ['gpt-4o', 'gpt-4o-mini'];

const ask = async (model) => {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer demo' },
    body: JSON.stringify({
      model,
      max_tokens: 400,
      messages: [{ role: 'user', content: 'Why do bridges have tolls? '.repeat(40) }],
    }),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = await response.json();
  if (response.ok) return `${model}: $${response.headers.get('x-tollgate-cost-usd') ?? '?'}`;
  return `${model}: ${String(response.status)} ${String(answer.error?.message)}`;
};

for (let calls = 0; ; calls += 1) {
  console.log(await ask(MODELS[calls % MODELS.length]).catch((error) => `no answer: ${String(error)}`));
  await sleep(1_000);
}
