/** What a chat completion costs by the shipped price table: for the gate that has only the answer to go by. */
import { charge } from '@tollgate/metering';
import type { NanoUsd, PriceRow } from '@tollgate/metering';
import { shippedPriceTable } from '@tollgate/prices/data';

export const answerCost = (model: string): ((answer: string) => NanoUsd) => {
  const found = shippedPriceTable().lookup('openai', model);
  if (found.kind !== 'known') throw new Error(`the shipped price table does not name openai/${model}`);
  return (answer) => costOf(answer, found.row);
};

const costOf = (answer: string, row: PriceRow): NanoUsd => {
  const usage = field(JSON.parse(answer), 'usage');
  const cachedInput = count(field(field(usage, 'prompt_tokens_details'), 'cached_tokens'));
  return charge(
    {
      input: count(field(usage, 'prompt_tokens')) - cachedInput,
      cachedInput,
      output: count(field(usage, 'completion_tokens')),
    },
    row,
  );
};

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;

const count = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);
