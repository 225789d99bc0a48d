import { readMessagesKeys } from '../anthropic/messages-envelope.ts';
import type { Envelope, EnvelopeResult, FormatId } from '../format.ts';
import { readGenerateKeys } from '../gemini/generate-envelope.ts';
import { readChatKeys } from '../openai/chat-envelope.ts';
import { readCompletionsKeys, readEmbeddingsKeys } from '../openai/completions-envelope.ts';
import { readResponsesKeys } from '../openai/responses-envelope.ts';
import { JsonScanner } from '../scan/json-scanner.ts';
import { ScanFault } from '../scan/scan-fault.ts';
import { textKind } from '../scan/text-kind.ts';
import { type RequestScanner, requestKeys } from './content.ts';
import { type Draft, finishDraft, makeDraft } from './draft.ts';
import { openTop } from './open-top.ts';
import { REQUEST_RULES } from './rules.ts';

/** What the path says beyond the body: Gemini's model and method, Azure's deployment. */
export interface PathInfo {
  readonly model?: string | null;
  readonly stream?: boolean;
}

/**
 * Reads the priced keys of a request in one pass over its bytes; nothing of it is kept but offsets and short strings.
 *
 * Measured on Node 24.21, two shared cores, best of 20 rounds of 200 to 2,000 calls: 654 bytes 2.2 µs (JSON.parse 0.9);
 * 101 KB in two long messages 13 µs (36); 112 KB in 370 messages with a quote in every third word 250 µs (160).
 */
export const readEnvelope = (format: FormatId, body: Buffer, path: PathInfo = {}): EnvelopeResult => {
  try {
    return { ok: true, envelope: read(format, body, path) };
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    const { status, code, message, param } = error;
    return { ok: false, fault: { status, code, message, param } };
  }
};

const READERS: Readonly<Record<Exclude<FormatId, 'gemini-generate'>, (scan: RequestScanner, draft: Draft) => void>> = {
  'openai-chat': readChatKeys,
  'openai-completions': readCompletionsKeys,
  'openai-responses': readResponsesKeys,
  'openai-embeddings': readEmbeddingsKeys,
  'anthropic-messages': readMessagesKeys,
};

const read = (format: FormatId, body: Buffer, path: PathInfo): Envelope => {
  if (body[0] === 0xef) throw invalidText();
  const draft = makeDraft(body);
  if (format === 'gemini-generate') readGenerateKeys(body, draft);
  else {
    const scan = new JsonScanner(body, requestKeys, REQUEST_RULES);
    openTop(scan, draft);
    READERS[format](scan, draft);
    scan.finish();
  }
  // Last, since it looks at every byte: a body that is refused for its structure is refused sooner.
  const kind = textKind(body);
  if (kind === 'invalid') throw invalidText();
  // A path that names the model is what the provider goes by, whatever the body says.
  draft.model = path.model ?? draft.model;
  draft.stream ||= path.stream ?? false;
  return finishDraft(draft, format, kind === 'ascii');
};

/** A JSON body cannot begin with a byte order mark's first byte otherwise. */
const invalidText = (): ScanFault => new ScanFault('invalid_utf8', 'the body must be UTF-8 without a byte order mark');
