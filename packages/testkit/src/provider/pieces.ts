/** The text of answers, cut into pieces: one piece is one output token, and never shorter than one byte. */
import type { Chance } from './chance.ts';

/** Beyond ASCII on purpose: two-, three- and four-byte characters, so that a split may fall inside one. */
const WORDS = [
  'the', 'gate', 'opens', 'for', 'a', 'coin', 'and', 'each', 'toll', 'is', 'counted', 'before', 'bridge', 'river', 'stone', 'ledger',
  'honest', 'weight', 'café', 'naïve', 'Straße', 'мост', '料金所', '橋', '🌉', '🪙', 'seven', 'carts', 'wait', 'until', 'dawn', 'passes',
]; // prettier-ignore

export const makePieces = (chance: Chance, count: number): string[] => {
  const pieces: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const word = WORDS[chance.next(WORDS.length)] ?? 'toll';
    pieces.push(index === 0 ? word : ` ${word}`);
  }
  return pieces;
};

const CHARACTERS_PER_PIECE = 4;

/** Whole characters only: cutting inside one is the delivery's business. */
export const cutIntoPieces = (text: string): string[] => {
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += CHARACTERS_PER_PIECE) {
    pieces.push(characters.slice(start, start + CHARACTERS_PER_PIECE).join(''));
  }
  return pieces;
};

/** Joins neighbours, so that one chunk of a stream carries several tokens. */
export const group = (
  pieces: readonly string[],
  size: number,
): { readonly text: string; readonly tokens: number }[] => {
  const groups = [];
  for (let start = 0; start < pieces.length; start += size) {
    const some = pieces.slice(start, start + size);
    groups.push({ text: some.join(''), tokens: some.length });
  }
  return groups;
};
