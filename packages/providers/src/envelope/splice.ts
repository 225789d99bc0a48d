import type { Envelope, FormatId } from '../format.ts';

/** What Tollgate may change in a request. Everything else passes byte for byte. */
export interface RequestChanges {
  /** Sets stream_options.include_usage to true (chat and completions streams only). */
  readonly includeUsage?: boolean | undefined;
  /** Tokens. Replaces every cap that the caller gave; without one it is written as `outputCapField`. */
  readonly outputCap?: number | undefined;
  /** The field that the backend reads; by default the format's own (chat: max_completion_tokens). */
  readonly outputCapField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** A route's own name for the model. Ignored for Gemini, which names it in the path. */
  readonly model?: string | undefined;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const CAP_FIELD: Readonly<Record<FormatId, string | null>> = {
  'openai-chat': 'max_completion_tokens',
  'openai-completions': 'max_tokens',
  'openai-responses': 'max_output_tokens',
  'openai-embeddings': null,
  'anthropic-messages': 'max_tokens',
  'gemini-generate': 'maxOutputTokens',
};

/**
 * The body with the changes put in, as pieces to be written one after the other. Existing values are replaced where they
 * stand, null ones too; new members go right after the brace that opens their object. No changes: the body itself.
 */
export const spliceRequest = (body: Buffer, envelope: Envelope, changes: RequestChanges): Buffer[] => {
  const edits: Edit[] = [];
  const members: string[] = [];
  if (changes.model !== undefined) changeModel(envelope, changes.model, edits, members);
  if (changes.outputCap !== undefined) changeCap(envelope, changes.outputCap, changes.outputCapField, edits, members);
  if (changes.includeUsage === true) changeUsage(envelope, edits, members);
  const { top, topIsEmpty } = envelope.splice;
  if (members.length > 0) edits.push({ start: top, end: top, text: members.join(',') + (topIsEmpty ? '' : ',') });
  return edits.length === 0 ? [body] : cut(body, edits);
};

const changeModel = (envelope: Envelope, model: string, edits: Edit[], members: string[]): void => {
  if (envelope.format === 'gemini-generate') return;
  const at = envelope.splice.model;
  if (at === null) members.push(`"model":${JSON.stringify(model)}`);
  else edits.push({ ...at, text: JSON.stringify(model) });
};

const changeCap = (
  envelope: Envelope,
  cap: number,
  asked: string | undefined,
  edits: Edit[],
  members: string[],
): void => {
  const own = CAP_FIELD[envelope.format];
  if (own === null) return;
  const field = envelope.format === 'openai-chat' ? (asked ?? own) : own;
  const caps = envelope.splice.outputCaps;
  const given = caps.filter((at) => !at.isNull);
  const targets = given.length > 0 ? given : caps.filter((at) => at.field === field);
  for (const { start, end } of targets) edits.push({ start, end, text: String(cap) });
  if (targets.length > 0) return;
  const member = `"${field}":${String(cap)}`;
  if (envelope.format === 'gemini-generate')
    putInto(envelope.splice.generationConfig, 'generationConfig', member, edits, members);
  else members.push(member);
};

const changeUsage = (envelope: Envelope, edits: Edit[], members: string[]): void => {
  if (envelope.includeUsage === true) return;
  const { includeUsage, streamOptions } = envelope.splice;
  if (includeUsage !== null) edits.push({ ...includeUsage, text: 'true' });
  else putInto(streamOptions, 'stream_options', '"include_usage":true', edits, members);
};

/** Puts a member into an object of the body: one that is there, one that is null, or one to be made. */
const putInto = (
  at: Envelope['splice']['streamOptions'],
  name: string,
  member: string,
  edits: Edit[],
  members: string[],
): void => {
  if (at === null) members.push(`"${name}":{${member}}`);
  else if (!at.isObject) edits.push({ start: at.start, end: at.end, text: `{${member}}` });
  else edits.push({ start: at.start + 1, end: at.start + 1, text: at.isEmpty ? member : `${member},` });
};

const cut = (body: Buffer, edits: Edit[]): Buffer[] => {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of edits.sort((one, other) => one.start - other.start)) {
    if (start > from) pieces.push(body.subarray(from, start));
    pieces.push(Buffer.from(text));
    from = end;
  }
  if (from < body.length) pieces.push(body.subarray(from));
  return pieces;
};
