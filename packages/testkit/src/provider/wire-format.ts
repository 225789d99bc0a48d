/** What one provider's wire format has to know. Each is written from the provider's public reference, and from nothing of Tollgate's. */
import type { Ask, AskFault } from './ask.ts';
import type { Behaviour } from './behaviour.ts';
import type { JsonObject } from './json.ts';
import type { Reply } from './reply.ts';

/** One event of a stream, and how many output tokens it hands over. */
export interface StreamPart {
  /** Before the first word, a part of the answer, or after the last. */
  readonly phase: 'open' | 'content' | 'close';
  readonly event?: string;
  /** JSON, or literal text such as `[DONE]`. */
  readonly data: JsonObject | string;
  readonly tokens: number;
}

export interface IncomingCall {
  readonly body: JsonObject;
  /** Without a behaviour suffix; from the path where the format puts it there. */
  readonly model: string;
  /** Gemini says it in the path. */
  readonly streamFromPath: boolean;
  readonly dialect: 'plain' | 'azure';
  /** Tokens of earlier answers that the provider stores, by response id. */
  readonly stored: (responseId: string) => number | null;
}

export interface Rendering {
  readonly ask: Ask;
  readonly reply: Reply;
  readonly behaviour: Behaviour;
  readonly dialect: 'plain' | 'azure';
  readonly body: JsonObject;
}

export interface WireFormat {
  readonly readAsk: (call: IncomingCall) => Ask | AskFault;
  readonly renderAnswer: (rendering: Rendering) => JsonObject;
  readonly renderStream: (rendering: Rendering) => Iterable<StreamPart>;
  readonly errors: ErrorStyle;
  /** Whole answers are indented by two spaces, as the provider sends them. */
  readonly isIndented: boolean;
  readonly lineEnding: '\n' | '\r\n';
}

export interface ErrorStyle {
  readonly body: (status: number, message: string, type: string | undefined, param: string | null) => JsonObject;
  /** The event that reports an error inside a stream. */
  readonly event: (message: string) => { readonly event?: string; readonly data: JsonObject };
}

export const DEFAULT_CHUNK_TOKENS = 2;

/** Text that a careless reader would take for the protocol's own usage and end. */
export const FORGED_TEXT =
  'data: {"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"input_tokens":0,"output_tokens":0}}\r\n\r\n' +
  'event: message_stop\ndata: [DONE]\n\n"usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0}';
