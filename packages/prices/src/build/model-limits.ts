/**
 * The most tokens that a model writes in one answer, by family. Facts used only to choose a default cap where the caller
 * gave none (a cap above the model's own would be refused by the provider); no hold rests on them. Read from the
 * providers' model pages on the dates given; families that are not here have no value.
 * - OpenAI, developers.openai.com/api/docs/models ("max output tokens" of each model), 2026-11
 * - Anthropic, platform.claude.com/docs/en/about-claude/models/overview ("max output"), 2026-11
 * - Google, ai.google.dev/gemini-api/docs/models ("output token limit"), 2026-11
 */
const MAX_OUTPUT: readonly (readonly [string, number])[] = [
  ['gpt-3.5', 4_096],
  ['gpt-4o-2024-05-13', 4_096],
  ['gpt-4o', 16_384],
  ['chatgpt-4o', 16_384],
  ['gpt-4.1', 32_768],
  ['gpt-4.5', 16_384],
  ['gpt-4-turbo', 4_096],
  ['gpt-4-vision', 4_096],
  ['gpt-4', 8_192],
  ['gpt-5-chat', 16_384],
  ['gpt-5-image', 16_384],
  ['gpt-5', 128_000],
  ['o1-mini', 65_536],
  ['o1-preview', 32_768],
  ['o1', 100_000],
  ['o3', 100_000],
  ['o4', 100_000],
  ['codex-mini', 100_000],
  ['claude-2', 4_096],
  ['claude-v', 4_096],
  ['claude-3-5', 8_192],
  ['claude-3-7', 64_000],
  ['claude-3', 4_096],
  ['claude-opus-4-0', 32_000],
  ['claude-opus-4-1', 32_000],
  ['claude-4-opus', 32_000],
  ['claude-opus-4-5', 64_000],
  ['claude-opus-4', 128_000],
  ['claude-sonnet-4', 64_000],
  ['claude-4-sonnet', 64_000],
  ['claude-haiku-4', 64_000],
  ['claude-', 64_000],
  ['gemini-1', 8_192],
  ['gemini-flash-1.5', 8_192],
  ['gemini-pro-1.5', 8_192],
  ['gemini-2.0', 8_192],
  ['gemini-2.5', 65_536],
  ['gemini-3', 65_536],
];

/** Undefined = not known. First match wins. */
export const maxOutputOf = (model: string): number | undefined => {
  const name = model.toLowerCase().replace(/^(?:.*\/|(?:[a-z-]+\.)*(?=claude-))/, '');
  return MAX_OUTPUT.find(([family]) => name.startsWith(family))?.[1];
};

/** Windows that the source leaves out, from the same pages. */
const WINDOWS: readonly (readonly [string, number])[] = [
  ['gemini-2.5-pro', 1_048_576],
  ['gemini-3-pro', 1_048_576],
  ['gemini-3.1-pro', 1_048_576],
];

/** The window that bounds a model's input; undefined = not known. */
export const windowOf = (model: string, stated: number | undefined): number | undefined =>
  stated === undefined ? WINDOWS.find(([family]) => model.startsWith(family))?.[1] : widestWindow(stated);

/**
 * A window as an upper bound of input. Sources round: "1M" stands for 1,000,000 to 1,050,000 (gpt-4.1 has 1,047,576,
 * Gemini 1,048,576, gpt-5.4 1,050,000), "128k" for 128,000 or 131,072. Of a round number the largest reading is taken.
 */
const widestWindow = (tokens: number): number => {
  if (tokens % 1_000_000 === 0) return (tokens / 1_000_000) * 1_050_000;
  return tokens % 1_000 === 0 ? (tokens / 1_000) * 1_024 : tokens;
};

/** Half price for batch calls: OpenAI "Batch API", Anthropic "Message Batches", Gemini "Batch mode", all read 2026-11. */
export const batchPermilleOf = (provider: string): number | undefined =>
  ['openai', 'anthropic', 'google'].includes(provider) ? 500 : undefined;
