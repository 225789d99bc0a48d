/** Counts a request's text exactly where the model's tokenizer is public; used only before a refusal, never on the way of a call that fits. */
import type { Envelope } from '@tollgate/providers';
import type { TokenCounter } from '@tollgate/tokenizer';

/** Resolves to the tokens of the body's text, or null where no exact count can be had. */
export const makeInputCounter =
  (counter: TokenCounter) =>
  async (model: string | null, envelope: Envelope, body: Buffer): Promise<number | null> => {
    // What text does not bound is not counted better by it, and an image's bytes would count as text.
    if (model === null || envelope.unboundable.length > 0 || envelope.imageBytes > 0) return null;
    // The provider's tokenizer sees the strings, not their JSON; which of the two has more tokens depends on the text.
    const json = body.toString('utf8');
    const [asJson, asText] = await Promise.all([
      counter.count(model, json),
      counter.count(model, strings(JSON.parse(json)).join('\n')),
    ]);
    return asJson === null || asText === null ? null : Math.max(asJson.tokens, asText.tokens);
  };

/** All strings of a JSON value, keys too, in their order. */
const strings = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, each]) => [key, ...strings(each)]);
  return typeof value === 'number' ? [String(value)] : [];
};
