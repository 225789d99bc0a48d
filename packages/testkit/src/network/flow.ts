/** One direction of one connection: what is read here is written there, as late, as slowly or as little as the fault says. */
import type { Socket } from 'node:net';

/** What one direction suffers. */
export interface FlowFault {
  /** Milliseconds by which each chunk is late. */
  readonly delayMs: number;
  /** Black hole: nothing comes through until it is healed, and then all of it. */
  readonly isHeld: boolean;
  /** Bytes a second; null = as fast as they come. */
  readonly bytesPerSecond: number | null;
  /** The connection is cut once so many bytes of it have passed this way, counted from its first; null = never. */
  readonly cutAfterBytes: number | null;
}

export interface Flow {
  faultChanged(): void;
  stop(): void;
}

export interface FlowDeps {
  readonly fault: () => FlowFault;
  /** So many bytes have passed as were to pass. */
  readonly onCut: () => void;
  /** The sender has ended, and all that it sent is written. */
  readonly onEnd: () => void;
}

export const makeFlow = (from: Socket, to: Socket, { fault, onCut, onEnd }: FlowDeps): Flow => {
  let passed = 0;
  let isStopped = false;
  let wake: (() => void) | null = null;
  let work = Promise.resolve();
  let waiting = 0;

  /** Until the time is over or the fault has changed, whichever is first. */
  const pause = (ms: number | null): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms);
      wake = () => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });

  const send = async (chunk: Buffer, arrivedAt: number): Promise<void> => {
    let rest = chunk;
    while (rest.length > 0 && !isStopped) {
      const { isHeld, delayMs, bytesPerSecond, cutAfterBytes } = fault();
      const late = arrivedAt + delayMs - performance.now();
      if (isHeld) await pause(null);
      else if (late > 0) await pause(late);
      else {
        const room = Math.max(0, (cutAfterBytes ?? Infinity) - passed);
        const turn = bytesPerSecond === null ? rest.length : Math.max(1, Math.floor(bytesPerSecond / TURNS));
        const piece = rest.subarray(0, Math.min(turn, room));
        rest = rest.subarray(piece.length);
        passed += piece.length;
        if (piece.length > 0 && !to.destroyed) await written(to, piece);
        if (cutAfterBytes !== null && passed >= cutAfterBytes) return onCut();
        if (bytesPerSecond !== null) await pause(1000 / TURNS);
      }
    }
  };

  from.on('data', (chunk: Buffer) => {
    const arrivedAt = performance.now();
    waiting += chunk.length;
    if (waiting > MOST_WAITING) from.pause();
    work = work
      .then(() => send(chunk, arrivedAt))
      .then(() => {
        waiting -= chunk.length;
        if (waiting <= MOST_WAITING && !isStopped) from.resume();
      });
  });

  const end = (): void => {
    work = work.then(() => {
      if (!isStopped) onEnd();
    });
  };
  from.once('end', end);
  from.once('close', end);

  return {
    faultChanged: () => wake?.(),
    stop: () => {
      isStopped = true;
      wake?.();
    },
  };
};

/** Pieces a second, where there is a limit. */
const TURNS = 20;
/** Then the sender is made to wait, as a full window would. */
const MOST_WAITING = 256 << 10;

const written = (to: Socket, piece: Buffer): Promise<void> =>
  new Promise((resolve) => {
    to.write(piece, () => resolve());
  });
