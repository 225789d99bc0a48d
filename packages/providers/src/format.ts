import type { Usage } from '@tollgate/metering';

/** The wire formats that are metered. A host "compatible with OpenAI" speaks one of the first four. */
export const FORMATS = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'openai-embeddings',
  'anthropic-messages',
  'gemini-generate',
] as const;

export type FormatId = (typeof FORMATS)[number];

/** The family whose error shape a caller expects. */
export type ErrorShape = 'openai' | 'anthropic' | 'gemini';

/** Whose API a path belongs to; OpenAI stands for every host that speaks its formats. */
export type Provider = 'openai' | 'anthropic' | 'gemini' | 'azure';

/** An image in the request. Unknown dimensions (a URL we never fetch, a format we cannot read) are null. */
export interface ImagePart {
  readonly width: number | null;
  readonly height: number | null;
  readonly detail: 'low' | 'high' | 'auto' | null;
}

/** Why the input cannot be bounded by the bytes at hand. */
export type Unboundable =
  | 'hosted_tool'
  | 'file_reference'
  | 'previous_response'
  | 'conversation'
  | 'stored_prompt'
  | 'background'
  | 'document'
  | 'audio_input'
  | 'video'
  | 'cached_content'
  /** A predicted output: its rejected tokens are billed beyond the cap. */
  | 'prediction'
  /** A part of a kind that this version does not know: it may stand for anything. */
  | 'unknown_part';

/** What the priced keys of a request say. Offsets are byte offsets into the body. */
export interface Envelope {
  readonly format: FormatId;
  readonly model: string | null;
  readonly stream: boolean;
  /** The caller's own cap, in tokens, per choice; null where it gave none (a null value counts as absent). */
  readonly outputCap: number | null;
  /** n, best_of, candidateCount: how many answers are billed. */
  readonly choices: number;
  /** Bytes of the body, and how many of them are beyond ASCII or written as an escape that may stand for such. */
  readonly bytes: number;
  readonly ascii: boolean;
  /** Entries of messages / input / contents: each costs template tokens. For embeddings and completions: the inputs. */
  readonly messages: number;
  readonly tools: number;
  readonly images: readonly ImagePart[];
  /** Bytes of the body that are base64 or data URLs of images: bounded by dimensions, not by bytes. */
  readonly imageBytes: number;
  readonly unboundable: readonly Unboundable[];
  /** stream_options.include_usage as the caller wrote it; null = not said. */
  readonly includeUsage: boolean | null;
  readonly user: string | null;
  readonly serviceTier: string | null;
  /** Asks the model to think before it answers (Anthropic's `thinking`): billed in full, delivered in part. */
  readonly asksThinking: boolean;
  /** Does this body ask for something with its own cache-write rate (Anthropic cache_control, ttl 1h)? */
  readonly cacheWrite: '5m' | '1h' | null;
  /** Opaque to callers: where `spliceRequest` may write. */
  readonly splice: SplicePoints;
}

export interface SplicePoints {
  /** Just after the `{` that opens the body. */
  readonly top: number;
  readonly topIsEmpty: boolean;
  /** Byte ranges of values to replace, where the key is already there. Null = the key is absent. */
  readonly streamOptions: {
    readonly start: number;
    readonly end: number;
    readonly isObject: boolean;
    readonly isEmpty: boolean;
  } | null;
  readonly includeUsage: { readonly start: number; readonly end: number } | null;
  /** Every field that caps the output, null-valued ones too: a second spelling of a key must never be written. */
  readonly outputCaps: readonly {
    readonly field: string;
    readonly start: number;
    readonly end: number;
    readonly isNull: boolean;
  }[];
  readonly model: { readonly start: number; readonly end: number } | null;
  /** Gemini: the value of generationConfig; `isObject` is false where it is null. */
  readonly generationConfig: {
    readonly start: number;
    readonly end: number;
    readonly isObject: boolean;
    readonly isEmpty: boolean;
  } | null;
}

/** A body that is refused at the door. `status` is 400 or 413; `param` is a JSON path where known. */
export interface EnvelopeFault {
  readonly status: 400 | 413;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export type EnvelopeResult =
  { readonly ok: true; readonly envelope: Envelope } | { readonly ok: false; readonly fault: EnvelopeFault };

/** What an answer said about itself. `usage` null = it said nothing usable (missing is not zero). */
export interface Answer {
  readonly model: string | null;
  /** OpenAI: the tier that the call was served at, where the answer says so. */
  readonly serviceTier: string | null;
  readonly usage: Usage | null;
  /**
   * What the provider has stated on the way without it being its last word (Anthropic's message_start, a running count):
   * at least this much is billed. Equal to `usage` once that is known; null where nothing was stated.
   */
  readonly floor: Usage | null;
  /** The provider's own figures contradict each other or are no counts; `usage` is then null or what could be kept. */
  readonly usageFault: string | null;
  /**
   * Text delivered so far: what an abort is estimated from. Bytes of the strings in the content fields as written in JSON,
   * so never fewer than their UTF-8 bytes.
   */
  readonly deliveredBytes: number;
  /** Streams: the protocol's own end was seen (`[DONE]`, message_stop, finishReason …). */
  readonly complete: boolean;
  /** The provider reported an error inside the answer. */
  readonly errored: boolean;
}

/** Reads a stream as it passes. Holds back nothing but what Tollgate itself had asked to be added. */
export interface StreamMeter {
  /** The bytes to forward, which are `chunk` itself (no copy) wherever nothing has to be taken out. */
  push(chunk: Buffer): Buffer;
  /** What is still held back at the end of the stream (an unfinished line), then the reading. */
  end(): Buffer;
  answer(): Answer;
  /** Why the stream can no longer be read faithfully (an event without end); null = all is well. Its bytes still pass. */
  fault(): string | null;
}
