/** Bytes made bad in the ways that bytes go bad: bits turned, pieces lost, doubled, swapped, and figures that no one meant. */
import type { Dice } from '../testing/dice.ts';

const MOST_BYTES = 1 << 16;

/** What breaks readers: ends of ranges, names with a meaning to the language, halves of pairs. */
const NASTY = [
  '-1',
  '0',
  '1e400',
  '-0',
  '9007199254740993',
  '9223372036854775808',
  '1.5',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '"12"',
  '"__proto__"',
  '"constructor"',
  '"\\ud800"',
  '"\\u0000"',
  '\ufeff',
  '\u2028',
  '\r\n\r\n',
  'data: [DONE]\n\n',
  'event: ',
  '[[[[[[[[',
  '{"a":{"a":{"a":',
  ',,',
  '"',
  '\\',
  '%2e%2e%2f',
  '&a *a',
].map((text) => Buffer.from(text));

type Mutation = (bytes: Buffer, dice: Dice, other: Buffer) => Buffer;

const at = (bytes: Buffer, dice: Dice): number => dice.roll(bytes.length + 1);

const turnBit: Mutation = (bytes, dice) => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const place = dice.roll(copy.length);
  copy[place] = (copy[place] ?? 0) ^ (1 << dice.roll(8));
  return copy;
};

const anyByte: Mutation = (bytes, dice) => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[dice.roll(copy.length)] = dice.roll(256);
  return copy;
};

const cut: Mutation = (bytes, dice) => bytes.subarray(0, at(bytes, dice));

const lose: Mutation = (bytes, dice) => {
  const from = at(bytes, dice);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + dice.roll(16))]);
};

const double: Mutation = (bytes, dice) => {
  const from = at(bytes, dice);
  const piece = bytes.subarray(from, from + 1 + dice.roll(64));
  const times = 1 + dice.roll(dice.percent(5) ? 200 : 3);
  return Buffer.concat([bytes.subarray(0, from), ...Array<Buffer>(times).fill(piece), bytes.subarray(from)]);
};

const putNasty: Mutation = (bytes, dice) => {
  const from = at(bytes, dice);
  const nasty = NASTY[dice.roll(NASTY.length)] ?? Buffer.alloc(0);
  return Buffer.concat([bytes.subarray(0, from), nasty, bytes.subarray(from)]);
};

/** A whole value of JSON, or what looks like one, replaced. */
const replaceValue: Mutation = (bytes, dice) => {
  const colons = [...bytes.keys()].filter((place) => bytes[place] === 0x3a);
  const from = colons[dice.roll(Math.max(1, colons.length))];
  if (from === undefined) return putNasty(bytes, dice, bytes);
  let to = from + 1;
  while (to < bytes.length && ![0x2c, 0x7d, 0x5d, 0x0a].includes(bytes[to] ?? 0)) to += 1;
  const nasty = NASTY[dice.roll(NASTY.length)] ?? Buffer.alloc(0);
  return Buffer.concat([bytes.subarray(0, from + 1), nasty, bytes.subarray(to)]);
};

const cross: Mutation = (bytes, dice, other) =>
  Buffer.concat([bytes.subarray(0, at(bytes, dice)), other.subarray(at(other, dice))]);

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  turnBit,
  anyByte,
  cut,
  lose,
  double,
  putNasty,
  replaceValue,
  replaceValue,
  cross,
];

/** One of the corpus, changed one to four times; never empty of surprises, never above 64 KiB. */
export const mutated = (corpus: readonly [Buffer, ...Buffer[]], dice: Dice): Buffer => {
  let bytes = dice.pick(corpus);
  for (let left = 1 + dice.roll(4); left > 0; left -= 1) bytes = dice.pick(MUTATIONS)(bytes, dice, dice.pick(corpus));
  return bytes.subarray(0, MOST_BYTES);
};
