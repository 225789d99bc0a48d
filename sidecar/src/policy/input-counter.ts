/** Counts a request's text exactly where the model's tokenizer is public; used only before a refusal, never on the way of a call that fits. */
import type { Envelope } from '@tollgate/providers';
import type { TokenCounter } from '@tollgate/tokenizer';

/** Resolves to tokens of the whole body as text, which is at least those of the text in it; null = not to be had. */
export const makeInputCounter =
  (counter: TokenCounter) =>
  async (model: string | null, envelope: Envelope, body: Buffer): Promise<number | null> => {
    // A body of images or of things that text does not bound has nothing to be counted better.
    if (model === null || envelope.unboundable.length > 0 || envelope.imageBytes > 0) return null;
    const counted = await counter.count(model, body.toString('utf8'));
    return counted?.tokens ?? null;
  };
