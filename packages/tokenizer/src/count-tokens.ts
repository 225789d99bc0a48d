import type { TiktokenBPE } from 'js-tiktoken/lite';
import { Tiktoken } from 'js-tiktoken/lite';
import type { EncodingName } from './encoding.ts';

/** The ranks are 2 to 5 MB: read on the first use of an encoding. */
const RANKS: Readonly<Record<EncodingName, () => Promise<{ default: TiktokenBPE }>>> = {
  o200k_base: () => import('js-tiktoken/ranks/o200k_base'),
  cl100k_base: () => import('js-tiktoken/ranks/cl100k_base'),
};

const loaded = new Map<EncodingName, Promise<Tiktoken>>();

/** Names of special tokens in a text are plain text to the provider, so none is allowed and none is refused. */
export const countTokens = async (encoding: EncodingName, text: string): Promise<number> =>
  (await encoder(encoding)).encode(text, [], []).length;

const encoder = (name: EncodingName): Promise<Tiktoken> => {
  let ready = loaded.get(name);
  if (ready === undefined) {
    ready = RANKS[name]().then(({ default: ranks }) => new Tiktoken(ranks));
    loaded.set(name, ready);
  }
  return ready;
};
