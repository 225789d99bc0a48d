/**
 * A small agent that has lost its way: it keeps asking itself what to do next, its memory grows, and nothing in it ever
 * stops. A budget does. No dependency but Node 20's own fetch.
 *
 *   tollgate wrap --budget 0.05usd -- node examples/agent.mjs
 */
const baseUrl = (process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:4100/v1').replace(/\/+$/, '');
const apiKey = process.env.OPENAI_API_KEY ?? 'no-key';
const model = process.env.AGENT_MODEL ?? 'gpt-4o';
/** A seat belt for whoever runs this with no budget in front of it. */
const maxSteps = Number(process.env.AGENT_MAX_STEPS ?? 500);

const memory = [
  { role: 'system', content: 'You plan a bridge, one step at a time, and you are never done.' },
  { role: 'user', content: 'Where do we begin?' },
];

const ask = () =>
  fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model, messages: memory, max_tokens: 300 }),
  });

const readError = async (response) => {
  try {
    return (await response.json()).error ?? {};
  } catch {
    return {};
  }
};

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const header = (response, name, missing = '?') => response.headers.get(name) ?? missing;

let spentNano = 0n;
/** Costs are decimal strings with up to nine places; adding them as floats would lose nano-dollars. */
const toNano = (usd) => {
  const [whole, fraction = ''] = usd.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
};
const toUsd = (nano) => `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;

const run = async () => {
  console.log(`agent: asking ${model} at ${baseUrl}`);
  for (let step = 1; step <= maxSteps;) {
    const response = await ask();

    if (!response.ok) {
      const error = await readError(response);
      const isHeldByOthers = error.code === 'budget_held' || error.code === 'rate_limit_exceeded';
      if (response.status === 429 && isHeldByOthers) {
        await pause(Number(header(response, 'retry-after', '1')));
        continue;
      }
      const isBudget = String(error.code ?? '').startsWith('budget_') || response.status === 429;
      console.log(`step ${step}: HTTP ${response.status} ${error.code ?? ''}: ${error.message ?? 'no message'}`);
      if (isBudget && response.status < 500) {
        console.log(`agent: stopped by its budget after ${step - 1} steps and $${toUsd(spentNano)}.`);
        return 0;
      }
      console.log('agent: this was no budget; giving up.');
      return 1;
    }

    const answer = await response.json();
    const cost = header(response, 'x-tollgate-cost-usd');
    if (cost !== '?') spentNano += toNano(cost);
    const { prompt_tokens: sent, completion_tokens: received } = answer.usage ?? {};
    console.log(
      `step ${step}: ${sent} tokens in, ${received} out · cost $${cost} · ` +
        `left $${header(response, 'x-tollgate-remaining-usd')} of ${header(response, 'x-tollgate-budget', 'no budget')}`,
    );
    step += 1;
    memory.push(answer.choices[0].message, { role: 'user', content: 'Good. And what comes after that?' });
  }
  console.log(`agent: nothing stopped it in ${maxSteps} steps. Is a budget in front of it?`);
  return 1;
};

process.exitCode = await run().catch((error) => {
  console.error(`agent: cannot reach ${baseUrl}: ${error.cause?.message ?? error.message}`);
  return 1;
});
