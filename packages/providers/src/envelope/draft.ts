import type { Envelope, FormatId, ImagePart, Unboundable } from '../format.ts';
import { ScanFault } from '../scan/scan-fault.ts';

/** An envelope while its body is being read. */
export interface Draft {
  readonly body: Buffer;
  model: string | null;
  stream: boolean;
  choices: number;
  messages: number;
  tools: number;
  imageBytes: number;
  readonly images: ImagePart[];
  readonly unboundable: Unboundable[];
  includeUsage: boolean | null;
  user: string | null;
  serviceTier: string | null;
  asksThinking: boolean;
  cacheWrite: '5m' | '1h' | null;
  outputCap: number | null;
  readonly splice: { -readonly [Key in keyof Envelope['splice']]: Envelope['splice'][Key] };
}

export const makeDraft = (body: Buffer): Draft => ({
  body,
  model: null,
  stream: false,
  choices: 1,
  messages: 0,
  tools: 0,
  imageBytes: 0,
  images: [],
  unboundable: [],
  includeUsage: null,
  user: null,
  serviceTier: null,
  asksThinking: false,
  cacheWrite: null,
  outputCap: null,
  splice: {
    top: 0,
    topIsEmpty: false,
    streamOptions: null,
    includeUsage: null,
    outputCaps: [],
    model: null,
    generationConfig: null,
  },
});

export const finishDraft = (draft: Draft, format: FormatId, ascii: boolean): Envelope => ({
  format,
  model: draft.model,
  stream: draft.stream,
  outputCap: draft.outputCap,
  choices: draft.choices,
  bytes: draft.body.length,
  ascii,
  messages: draft.messages,
  tools: draft.tools,
  images: draft.images,
  imageBytes: draft.imageBytes,
  unboundable: draft.unboundable,
  includeUsage: draft.includeUsage,
  user: draft.user,
  serviceTier: draft.serviceTier,
  asksThinking: draft.asksThinking,
  cacheWrite: draft.cacheWrite,
  splice: draft.splice,
});

export const flag = (draft: Draft, why: Unboundable): void => {
  if (!draft.unboundable.includes(why)) draft.unboundable.push(why);
};

/** Bounds the list that later steps price one by one; the most that a provider takes is 3,600 (Gemini). */
const MAX_IMAGES = 4_000;

export const addImage = (draft: Draft, image: ImagePart): void => {
  if (draft.images.length >= MAX_IMAGES)
    throw new ScanFault('too_many_images', `more than ${String(MAX_IMAGES)} images in one body`, null, 413);
  draft.images.push(image);
};
