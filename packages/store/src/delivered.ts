/**
 * Which of an instance's events are stored: all up to `acked`, and the ranges `ahead` of it that came before their
 * predecessors (a long stream settles after many short calls). Kept in the instance's row, whose lock every batch of it
 * holds, so this alone decides what is new: it outlives the months of events, and a resend of one that was dropped
 * is known for what it is.
 */
export interface Delivered {
  readonly acked: number;
  /** Rising, apart from each other, all above `acked` + 1. */
  readonly ahead: readonly SeqRange[];
}

/** A gap is a call that is still open. Nobody has so many: the row of such an instance would only grow. */
export const MAX_GAPS = 20_000;

/** From the first to just before the second. */
export type SeqRange = readonly [from: number, to: number];

export const isDelivered = ({ acked, ahead }: Delivered, seq: number): boolean => {
  if (seq <= acked) return true;
  let low = 0;
  let high = ahead.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ahead[middle];
    if (range && range[1] <= seq) low = middle + 1;
    else high = middle;
  }
  const range = ahead[low];
  return range !== undefined && range[0] <= seq;
};

/** `seqs` in any order, none of them delivered before. */
export const deliver = ({ acked, ahead }: Delivered, seqs: readonly number[]): Delivered => {
  const merged: [from: number, to: number][] = [];
  const all = [...ahead, ...seqs.map((seq): SeqRange => [seq, seq + 1])].sort(([a], [b]) => a - b);
  for (const [from, to] of all) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  const [first, ...rest] = merged;
  return first && first[0] <= acked + 1 ? { acked: first[1] - 1, ahead: rest } : { acked, ahead: merged };
};

/** As PostgreSQL writes an `int8multirange`. */
export const encodeRanges = (ranges: readonly SeqRange[]): string =>
  `{${ranges.map(([from, to]) => `[${String(from)},${String(to)})`).join(',')}}`;

export const decodeRanges = (text: string): readonly SeqRange[] =>
  [...text.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => [Number(from), Number(to)]);
