import { LedgerRequestError } from './ledger-request-error.ts';

/**
 * The last replies of each instance by sequence number, so that a request whose reply was lost gets the same one.
 * A number that fell out of memory is refused: whether it was granted can no longer be told.
 */
export interface RememberedReplies<T> {
  /** The reply given before, or undefined where `seq` is new. Throws where the number stands for another request. */
  find(instance: string, seq: number, asked: string): T | undefined;
  keep(instance: string, seq: number, asked: string, reply: T): void;
  forget(instance: string): void;
}

interface Memory<T> {
  readonly replies: Map<number, { readonly asked: string; readonly reply: T }>;
  /** The highest number that was dropped. */
  floor: number;
}

export const makeRememberedReplies = <T>(size: number): RememberedReplies<T> => {
  const memories = new Map<string, Memory<T>>();

  return {
    find: (instance, seq, asked) => {
      const memory = memories.get(instance);
      const kept = memory?.replies.get(seq);
      if (kept) {
        if (kept.asked === asked) return kept.reply;
        throw new LedgerRequestError(
          'seq_reused',
          `sequence ${String(seq)} of this instance stood for another request`,
        );
      }
      if (memory && seq <= memory.floor) {
        throw new LedgerRequestError('seq_too_old', `sequence ${String(seq)} is no longer remembered: take a new one`);
      }
      return undefined;
    },
    keep: (instance, seq, asked, reply) => {
      const memory: Memory<T> = memories.get(instance) ?? { replies: new Map(), floor: 0 };
      memories.set(instance, memory);
      memory.replies.set(seq, { asked, reply });
      for (const oldest of memory.replies.keys()) {
        if (memory.replies.size <= size) break;
        memory.replies.delete(oldest);
        memory.floor = Math.max(memory.floor, oldest);
      }
    },
    forget: (instance) => {
      memories.delete(instance);
    },
  };
};
