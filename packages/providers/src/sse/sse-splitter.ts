/**
 * Cuts a byte stream into server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end
 * with LF, CRLF or CR, a blank line ends an event. Works on bytes, so that a chunk may end anywhere, inside a character too.
 */
export type UnitKind =
  /** Lines up to and with the blank one that ends them. */
  | 'event'
  /** A comment line by itself, outside an event. */
  | 'comment'
  /** The LF of a CRLF whose CR had ended the unit before. */
  | 'rest'
  /** An event above the limit: its bytes as far as they were kept. What follows of it is not reported. */
  | 'overlong';

/** `bytes` is the chunk itself, or (`isJoined`) a copy of what arrived in several. */
export type TakeUnit = (bytes: Buffer, start: number, end: number, kind: UnitKind, isJoined: boolean) => void;

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;

export class SseSplitter {
  /** In the chunk pushed last: where the unit begins that is not finished yet (its length where there is none). */
  tail = 0;
  /** While a unit is being taken: where it ends in the chunk pushed last. */
  next = 0;
  private readonly limit: number;
  private held: Buffer[] = [];
  private heldBytes = 0;
  /** The first byte of the unfinished unit; -1 where none has arrived. */
  private opening = -1;
  private isLineStart = true;
  private isUnitStart = true;
  private isAfterCr = false;
  private isOverlong = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer, take: TakeUnit): void {
    let at = 0;
    let unit = 0;
    if (this.isAfterCr && chunk.length > 0) {
      this.isAfterCr = false;
      if (chunk[0] === LF) {
        at = 1;
        if (this.isUnitStart && !this.isOverlong) {
          take(chunk, 0, 1, 'rest', false);
          unit = 1;
        }
      }
    }
    let cr = chunk.indexOf(CR, at);
    let lf = chunk.indexOf(LF, at);
    while (cr >= 0 || lf >= 0) {
      const lineEnd = cr >= 0 && (cr < lf || lf < 0) ? cr : lf;
      const next = lineEnd === cr && lf === cr + 1 ? cr + 2 : lineEnd + 1;
      this.isAfterCr = lineEnd === cr && next === chunk.length && next === cr + 1;
      const isBlank = lineEnd === at && this.isLineStart;
      const isComment = this.isUnitStart && !isBlank && (this.opening < 0 ? chunk[unit] : this.opening) === COLON;
      this.isLineStart = true;
      this.isUnitStart = isBlank || isComment;
      at = next;
      if (this.isUnitStart) {
        this.finish(chunk, unit, next, isBlank ? 'event' : 'comment', take);
        unit = next;
      }
      if (cr >= 0 && cr < at) cr = chunk.indexOf(CR, at);
      if (lf >= 0 && lf < at) lf = chunk.indexOf(LF, at);
    }
    if (at < chunk.length) this.isLineStart = false;
    this.keep(chunk, unit, take);
  }

  /** The end of the stream: what is unfinished is taken as an event, since its bytes count all the same. */
  end(take: TakeUnit): void {
    if (this.heldBytes > 0 && !this.isOverlong) this.finish(Buffer.alloc(0), 0, 0, 'event', take);
  }

  private finish(chunk: Buffer, start: number, end: number, kind: UnitKind, take: TakeUnit): void {
    this.opening = -1;
    if (this.isOverlong) {
      this.isOverlong = false;
      return;
    }
    this.next = end;
    const isOver = this.heldBytes + end - start > this.limit;
    if (this.heldBytes === 0) take(chunk, start, end, isOver ? 'overlong' : kind, false);
    else {
      const joined = Buffer.concat([...this.held, chunk.subarray(start, end)]);
      take(joined, 0, joined.length, isOver ? 'overlong' : kind, true);
    }
    this.held = [];
    this.heldBytes = 0;
  }

  private keep(chunk: Buffer, start: number, take: TakeUnit): void {
    this.tail = this.isOverlong ? chunk.length : start;
    const more = chunk.length - this.tail;
    if (more === 0) return;
    const opening = this.opening < 0 ? (chunk[start] ?? -1) : this.opening;
    if (this.heldBytes + more <= this.limit) {
      // A copy: the chunk itself goes on to the caller, and may be a small part of a large read buffer.
      this.held.push(Buffer.from(chunk.subarray(start)));
      this.heldBytes += more;
      this.opening = opening;
      return;
    }
    this.finish(chunk, start, chunk.length, 'overlong', take);
    this.opening = opening;
    this.isOverlong = true;
    this.tail = chunk.length;
  }
}
