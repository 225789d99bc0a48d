/**
 * One request body in one piece of memory, copied together as it arrives: no tick copies all of it, and no piece is kept
 * beside the whole. A body that arrives in one piece, as most do, is that piece.
 */
export interface BodyBuffer {
  push(chunk: Buffer): void;
  /** All that was pushed; nothing may be pushed after it. */
  whole(): Buffer;
}

/** By how much the memory grows at once: what a caller merely announces is not set aside. */
const GROWTH = 4;

/** `most`: bytes that will not be exceeded, as announced or as allowed. */
export const makeBodyBuffer = (most: number): BodyBuffer => {
  let memory: Buffer = Buffer.alloc(0);
  let length = 0;
  return {
    push(chunk) {
      const needed = length + chunk.length;
      if (length === 0) memory = chunk;
      else {
        if (needed > memory.length) {
          const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(most, length * GROWTH)));
          memory.copy(larger, 0, 0, length);
          memory = larger;
        }
        chunk.copy(memory, length);
      }
      length = needed;
    },
    whole: () => (length === memory.length ? memory : memory.subarray(0, length)),
  };
};
