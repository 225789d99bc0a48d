/** A usage as OpenAI's chat and completions formats write it: totals with details inside them. */
import type { JsonObject } from '../json.ts';
import { allInput, allOutput } from '../mock-usage.ts';
import type { MockUsage } from '../mock-usage.ts';

export const openAiUsage = (usage: MockUsage): JsonObject => ({
  prompt_tokens: allInput(usage),
  completion_tokens: allOutput(usage),
  total_tokens: allInput(usage) + allOutput(usage),
  prompt_tokens_details: { cached_tokens: usage.cachedInput, audio_tokens: usage.audioInput },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning,
    audio_tokens: usage.audioOutput,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});
