/** Counts a request's text exactly where the model's tokenizer is public; used only before a refusal, never on the way of a call that fits. */
import type { Envelope } from '@tollgate/providers';
import type { TokenCounter } from '@tollgate/tokenizer';

/** Resolves to the tokens of the body's text, or null where no exact count can be had. */
export const makeInputCounter =
  (counter: TokenCounter) =>
  async (model: string | null, envelope: Envelope, body: Buffer): Promise<number | null> => {
    // What text does not bound is not counted better by it, and an image's bytes would count as text.
    if (model === null || envelope.unboundable.length > 0 || envelope.imageBytes > 0) return null;
    if (body.length > MOST_BYTES) return null;
    // The provider's tokenizer sees the strings, not their JSON; which of the two has more tokens depends on the text.
    const json = body.toString('utf8');
    const value = parsed(json);
    if (value === undefined) return null;
    const [asJson, asText] = await Promise.all([
      counter.count(model, json),
      counter.count(model, strings(value).join('\n')),
    ]);
    return asJson === null || asText === null ? null : Math.max(asJson.tokens, asText.tokens);
  };

/** Longer ones the counter would not take; the worst JSON of a MiB is parsed in some 15 ms. */
const MOST_BYTES = 1024 * 1024;

/** The scan looks into no string that it need not read, so a body may have got here that is no JSON. */
const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

/** All strings of a JSON value, keys too, in their order. */
const strings = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, each]) => [key, ...strings(each)]);
  return typeof value === 'number' ? [String(value)] : [];
};
