/**
 * The last replies to one instance by sequence number, so that a request whose reply was lost gets the same one. A number
 * too far behind the highest is refused: whether it was granted can no longer be told. Plain data, so that it can be
 * copied with the state it belongs to.
 */
export interface RememberedReplies<T> {
  highest: number;
  readonly replies: Map<number, { readonly asked: string; readonly reply: T }>;
}

/** `reused`: the number stood for another request. `null`: it is new. */
export type Remembered<T> = { readonly reply: T } | 'reused' | 'too_old' | null;

export const makeRememberedReplies = <T>(): RememberedReplies<T> => ({ highest: 0, replies: new Map() });

export const findReply = <T>(
  memory: RememberedReplies<T>,
  { seq, asked }: { readonly seq: number; readonly asked: string },
  size: number,
): Remembered<T> => {
  const kept = memory.replies.get(seq);
  if (kept) return kept.asked === asked ? { reply: kept.reply } : 'reused';
  return seq <= memory.highest - size ? 'too_old' : null;
};

export const keepReply = <T>(
  memory: RememberedReplies<T>,
  { seq, asked }: { readonly seq: number; readonly asked: string },
  reply: T,
  size: number,
): void => {
  memory.replies.set(seq, { asked, reply });
  if (seq <= memory.highest) return;
  const oldest = memory.highest - size;
  memory.highest = seq;
  // Kept are those above `oldest`, at most `size` of them.
  for (let gone = Math.max(1, oldest + 1); gone <= Math.min(seq - size, oldest + size); gone += 1)
    memory.replies.delete(gone);
};
