import type { FormatId } from '../format.ts';
import { anthropicError, geminiError, openaiError } from './render-refusal.ts';

/** Why a stream ends before its time. */
export interface StreamEnd {
  readonly code: string;
  readonly message: string;
  /** What the status would have been; 502 if not told. */
  readonly status?: number;
}

/**
 * The event with which a stream of that format says that it broke, so that its SDK raises an error instead of taking the
 * part for the whole. It begins with blank lines: they end an event that may have been cut in the middle.
 */
export const renderStreamEnd = (format: FormatId, end: StreamEnd): string => {
  const facts = { status: end.status ?? 502, code: end.code, message: end.message };
  switch (format) {
    case 'openai-chat':
    case 'openai-completions':
    case 'openai-embeddings':
      return `\n\ndata: ${JSON.stringify({ error: openaiError(facts) })}\n\n`;
    case 'openai-responses':
      return `\n\nevent: error\ndata: ${JSON.stringify({ type: 'error', code: end.code, message: end.message, param: null })}\n\n`;
    case 'anthropic-messages':
      return `\n\nevent: error\ndata: ${JSON.stringify({ type: 'error', error: anthropicError(facts) })}\n\n`;
    case 'gemini-generate':
      return `\n\ndata: ${JSON.stringify({ error: geminiError(facts) })}\n\n`;
    default:
      return format satisfies never;
  }
};
