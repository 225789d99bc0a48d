import { MESSAGES_USAGE, readMessagesAnswer } from '../anthropic/messages-answer.ts';
import type { Answer, FormatId } from '../format.ts';
import { GENERATE_USAGE, readGenerateAnswer } from '../gemini/generate-answer.ts';
import { CHAT_USAGE, EMBEDDINGS_USAGE, readChatAnswer } from '../openai/chat-answer.ts';
import { RESPONSES_USAGE, readResponsesAnswer } from '../openai/responses-answer.ts';
import { ScanFault } from '../scan/scan-fault.ts';
import { type AnswerScanner, type Tally, type UsageRules, answerOf, makeAnswerScanner, makeTally } from './tally.ts';

/** How an answer of each format is read: its parts into a tally, its figures into kinds. */
export interface AnswerReader {
  readonly rules: UsageRules;
  readonly read: (scan: AnswerScanner, tally: Tally) => void;
}

export const ANSWER_READERS: Readonly<Record<FormatId, AnswerReader>> = {
  'openai-chat': { rules: CHAT_USAGE, read: readChatAnswer },
  'openai-completions': { rules: CHAT_USAGE, read: readChatAnswer },
  'openai-embeddings': { rules: EMBEDDINGS_USAGE, read: readChatAnswer },
  'openai-responses': { rules: RESPONSES_USAGE, read: readResponsesAnswer },
  'anthropic-messages': { rules: MESSAGES_USAGE, read: readMessagesAnswer },
  'gemini-generate': { rules: GENERATE_USAGE, read: readGenerateAnswer },
};

/**
 * Reads an answer that is one JSON value. Whatever arrives, this does not throw: of a body that breaks off, what stood
 * before the break is kept. Only members where the protocol has them count, never text that looks like them.
 */
export const readAnswer = (format: FormatId, body: Buffer): Answer => {
  const reader = ANSWER_READERS[format];
  const tally = makeTally(reader.rules);
  tally.complete = readPart(reader, makeAnswerScanner(body), tally);
  // There is nothing to come after a whole answer: what it states is its last word.
  if (tally.complete && tally.figures !== null && format !== 'openai-responses') tally.isFinal = true;
  return answerOf(tally);
};

/** Reads one value into the tally; false where it is no JSON object or is broken off. */
export const readPart = (reader: AnswerReader, scan: AnswerScanner, tally: Tally): boolean => {
  tally.isBare = false;
  tally.member = null;
  try {
    if (scan.peek() !== 'object') return false;
    reader.read(scan, tally);
    scan.finish();
    return true;
  } catch (error) {
    if (error instanceof ScanFault) return false;
    throw error;
  }
};
