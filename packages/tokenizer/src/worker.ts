/** The thread that counts: one number back for each message. */
import { parentPort } from 'node:worker_threads';
import { countTokens } from './count-tokens.ts';
import type { EncodingName } from './encoding.ts';

export interface CountRequest {
  readonly id: number;
  readonly encoding: EncodingName;
  readonly text: string;
}

export interface CountReply {
  readonly id: number;
  /** Null: this text or encoding could not be read. */
  readonly tokens: number | null;
}

parentPort?.on('message', ({ id, encoding, text }: CountRequest) => {
  const reply = (tokens: number | null): void => parentPort?.postMessage({ id, tokens } satisfies CountReply);
  countTokens(encoding, text).then(reply, () => reply(null));
});
