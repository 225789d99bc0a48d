/**
 * The official OpenAI client through Tollgate: nothing changes but the base URL.
 *
 *   npm install openai
 *   OPENAI_BASE_URL=http://127.0.0.1:4100/openai/v1 OPENAI_API_KEY=… node examples/sdk-openai.mjs
 */
import OpenAI, { APIError } from 'openai';

const openai = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:4100/openai/v1',
  apiKey: process.env.OPENAI_API_KEY ?? 'no-key',
});
const messages = [{ role: 'user', content: 'In one sentence: why do bridges have tolls?' }];

try {
  const { data, response } = await openai.chat.completions.create({ model: 'gpt-4o-mini', messages }).withResponse();
  console.log(data.choices[0].message.content);
  console.log(
    `cost $${response.headers.get('x-tollgate-cost-usd')}, left $${response.headers.get('x-tollgate-remaining-usd')}`,
  );

  const stream = await openai.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true });
  for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  process.stdout.write('\n');
} catch (error) {
  // A spent budget is a RateLimitError (429), a call that no budget could ever pay a BadRequestError (400): the code tells.
  if (!(error instanceof APIError && error.code?.startsWith('budget_'))) throw error;
  console.log(`refused: ${error.message}`); // names the budget, and says what to do
}
