/**
 * Models whose whole output is delivered. Any other may reason out of sight: OpenAI's o-series and gpt-5 and later, Gemini
 * from 2.5 on, and Claude while thinking bill tokens that the stream does not carry (OpenAI, "Reasoning models"; Gemini,
 * "Thinking"; Anthropic, "Extended thinking": summaries are delivered, all of it is billed; read 2026-11).
 */
const DELIVERS_ALL = /^(?:gpt-3\.5|gpt-4|chatgpt-4o|davinci|babbage|claude-|gemini-1|gemini-2\.0)/;

/** May a stream of this model have cost more than what was delivered of it? An unknown model may. */
export const mayReasonUnseen = (model: string | null, asksThinking: boolean): boolean =>
  asksThinking || model === null || !DELIVERS_ALL.test(model);
