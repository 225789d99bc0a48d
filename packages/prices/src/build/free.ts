import type { Provider } from '@pydantic/genai-prices';

/**
 * The source leaves the prices of some models empty, which may mean free, included in a subscription, or not known. Free
 * is only what says so: OpenRouter's `:free` names, and models that their maker's price page lists as free of charge.
 */
export const isFree = (provider: Provider['id'], model: string): boolean =>
  model.endsWith(':free') || (LISTED_FREE[provider] ?? []).includes(model);

/** OpenAI "Moderation" guide; Gemini API pricing page, Gemma rows; both read 2026-11. */
const LISTED_FREE: Readonly<Record<string, readonly string[]>> = {
  openai: ['moderation'],
  google: ['gemma-3', 'gemma-3n', 'gemma-4-26b-a4b-it', 'gemma-4-31b-it'],
};
