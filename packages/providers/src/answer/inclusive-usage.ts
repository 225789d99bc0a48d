import type { Usage } from '@tollgate/metering';
import type { Counts } from './counts.ts';

/**
 * Figures in which the part is inside the whole: cached, cache-written and audio tokens inside the prompt, reasoning and audio inside the
 * completion (OpenAI; Gemini once its addends are added).
 */
export type InclusiveFigure =
  'prompt' | 'cached' | 'written' | 'audioInput' | 'completion' | 'reasoning' | 'audioOutput' | 'total';

export interface Reading {
  readonly usage: Usage | null;
  readonly fault: string | null;
}

/**
 * Splits them into disjoint kinds. Where figures contradict each other nothing becomes negative and the dearer reading wins:
 * - cached > prompt: no cache hit is believed, all of the prompt is input;
 * - audio > prompt: all of the prompt is audio; the parts together > prompt: audio stays, then writes, and cached shrinks;
 * - total > prompt + completion: the rest was billed outside the completion (xAI's reasoning, Gemini's thoughts behind its
 *   OpenAI door): it is reasoning, on top;
 * - reasoning > what the completion and the total leave room for: it is taken as an addend;
 * - total < prompt + completion: the parts count.
 */
export const inclusiveUsage = (figures: Counts<InclusiveFigure>, needsCompletion: boolean): Reading => {
  const { prompt, completion = needsCompletion ? undefined : 0 } = figures;
  if (prompt === undefined) return { usage: null, fault: 'the usage has no count of input tokens' };
  if (completion === undefined) return { usage: null, fault: 'the usage has no count of output tokens' };
  const faults: string[] = [];
  const sent = splitInput(prompt, figures, faults);
  const extra = Math.max(0, (figures.total ?? 0) - prompt - completion);
  const answered = splitOutput(completion, extra, figures.reasoning ?? 0, figures.audioOutput ?? 0, faults);
  if (figures.total !== undefined && figures.total < prompt + completion)
    faults.push('the total is less than its parts');
  const usage: Usage = { ...sent, ...answered };
  return { usage, fault: faults[0] ?? null };
};

const splitInput = (prompt: number, figures: Counts<InclusiveFigure>, faults: string[]): Usage => {
  const { cached = 0, written = 0, audioInput: audio = 0 } = figures;
  if (cached > prompt) faults.push('more cached tokens than input tokens');
  if (written > prompt) faults.push('more tokens written to the cache than input tokens');
  if (audio > prompt) faults.push('more audio tokens than input tokens');
  const audioInput = Math.min(audio, prompt);
  // OpenAI's cache writes have one price and no lifetime of their own: they are told as the short kind.
  const cacheWrite5m = Math.min(written, prompt - audioInput);
  const cachedInput = cached > prompt ? 0 : Math.min(cached, prompt - audioInput - cacheWrite5m);
  return {
    input: prompt - audioInput - cacheWrite5m - cachedInput,
    ...(cachedInput > 0 ? { cachedInput } : {}),
    ...(cacheWrite5m > 0 ? { cacheWrite5m } : {}),
    ...(audioInput > 0 ? { audioInput } : {}),
  };
};

const splitOutput = (completion: number, extra: number, stated: number, audio: number, faults: string[]): Usage => {
  const reasoning = Math.max(stated, extra);
  const isAddend = reasoning > completion + extra;
  if (isAddend) faults.push('more reasoning tokens than output tokens');
  const all = completion + (isAddend ? reasoning : extra);
  if (audio > all - reasoning) faults.push('more audio tokens than output tokens');
  const audioOutput = Math.min(audio, all);
  const reasoned = Math.min(reasoning, all - audioOutput);
  return {
    output: all - audioOutput - reasoned,
    ...(reasoned > 0 ? { reasoning: reasoned } : {}),
    ...(audioOutput > 0 ? { audioOutput } : {}),
  };
};
