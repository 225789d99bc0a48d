import type { ModelPrice } from '@pydantic/genai-prices';

/**
 * Audio rates that the source leaves out of models that hear and speak, so that sound is not billed as text: dollars per
 * million tokens, developers.openai.com/api/docs/pricing ("Audio tokens"), read 2026-11. The source's own figures win.
 */
export const AUDIO_RATES: Readonly<Record<string, ModelPrice>> = {
  'openai/gpt-4o-audio-preview': { input_audio_mtok: 40, output_audio_mtok: 80 },
  'openai/gpt-4o-mini-audio-preview': { input_audio_mtok: 10, output_audio_mtok: 20 },
};
