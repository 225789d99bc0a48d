/**
 * The official Anthropic client through Tollgate: nothing changes but the base URL.
 *
 *   npm install @anthropic-ai/sdk
 *   ANTHROPIC_BASE_URL=http://127.0.0.1:4100/anthropic ANTHROPIC_API_KEY=… node examples/sdk-anthropic.mjs
 */
import Anthropic, { APIError } from '@anthropic-ai/sdk';

const anthropic = new Anthropic({
  baseURL: process.env.ANTHROPIC_BASE_URL ?? 'http://127.0.0.1:4100/anthropic',
  apiKey: process.env.ANTHROPIC_API_KEY ?? 'no-key',
});
const asked = {
  model: 'claude-haiku-4-5',
  max_tokens: 300,
  messages: [{ role: 'user', content: 'In one sentence: why do bridges have tolls?' }],
};

try {
  const { data, response } = await anthropic.messages.create(asked).withResponse();
  console.log(data.content[0].text);
  console.log(
    `cost $${response.headers.get('x-tollgate-cost-usd')}, left $${response.headers.get('x-tollgate-remaining-usd')}`,
  );

  for await (const event of anthropic.messages.stream(asked)) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
      process.stdout.write(event.delta.text);
  }
  process.stdout.write('\n');
} catch (error) {
  // A spent budget is a RateLimitError (429), a call that no budget could ever pay a BadRequestError (400): the code tells.
  const refusal = error instanceof APIError ? error.error?.error : undefined;
  if (!refusal?.code?.startsWith('budget_')) throw error;
  console.log(`refused: ${refusal.message}`); // names the budget, and says what to do
}
