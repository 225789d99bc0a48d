/**
 * Writes the body of an answer that passes as it comes. Where its length is not known each piece is framed here as one chunk
 * in one buffer, and goes to the socket itself: Node writes a chunk as four pieces (length, line end, bytes, line end)
 * behind a cork of its own, which took a sixth more CPU a chunk.
 */
import type { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Turn } from '../turn.ts';

export interface StreamBody {
  /** Takes a copy of the piece. False where the caller reads too slowly: wait until it is drained. */
  write(piece: Buffer): boolean;
  end(last?: Buffer): void;
  onceDrained(listener: () => void): void;
  offDrained(listener: () => void): void;
}

const LINE_END = '\r\n';
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** After `writeHead`. Nothing else may write to the response then. What is written in one turn is sent at its end. */
export const makeStreamBody = (res: ServerResponse, turn: Turn): StreamBody => {
  const { socket } = res;
  // HTTP/1.0 knows no chunks, and a length that was given needs none.
  if (!res.chunkedEncoding) {
    return {
      write: (piece) => {
        sendAtEnd(turn, socket);
        return res.write(Buffer.from(piece));
      },
      end: (last) => void res.end(last),
      ...drainOf(res),
    };
  }
  res.chunkedEncoding = false;
  // Without a socket while an answer before it on the same connection is on its way: Node keeps the order then.
  if (socket !== null) {
    sendAtEnd(turn, socket);
    res.flushHeaders();
  }
  const to = socket ?? res;
  return {
    // A chunk of nothing would be the last one.
    write: (piece) => {
      if (piece.length === 0) return true;
      sendAtEnd(turn, socket);
      return to.write(chunkOf(piece));
    },
    end: (last) => {
      res.end(last === undefined || last.length === 0 ? LAST_CHUNK : Buffer.concat([chunkOf(last), LAST_CHUNK]));
    },
    ...drainOf(to),
  };
};

/** What is written to it from now on leaves it at the end of the turn, or with the end of the answer. */
const sendAtEnd = (turn: Turn, socket: ServerResponse['socket']): void => {
  if (socket === null) return;
  socket.cork();
  turn.atEnd(() => {
    socket.uncork();
  });
};

const drainOf = (to: EventEmitter): Pick<StreamBody, 'onceDrained' | 'offDrained'> => ({
  onceDrained: (listener) => void to.once('drain', listener),
  offDrained: (listener) => void to.off('drain', listener),
});

const chunkOf = (piece: Buffer): Buffer => {
  const size = piece.length.toString(16) + LINE_END;
  const chunk = Buffer.allocUnsafe(size.length + piece.length + LINE_END.length);
  chunk.write(size, 0, 'latin1');
  chunk.set(piece, size.length);
  chunk.write(LINE_END, size.length + piece.length, 'latin1');
  return chunk;
};
