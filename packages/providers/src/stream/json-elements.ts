/**
 * Cuts a streamed JSON array (Gemini without `alt=sse`) into its elements; a lone object counts as one. Strings are told
 * from structure byte by byte, so that a chunk may end anywhere. An element above the limit is reported as `null`.
 */
export type TakeElement = (element: Buffer | null) => void;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class JsonElements {
  /** The closing bracket of the array, or the end of the lone object, was seen. */
  closed = false;
  private readonly limit: number;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private depth = 0;
  private isArray = false;
  private isString = false;
  private isEscaped = false;
  private isOverlong = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer, take: TakeElement): void {
    let start = 0;
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i] ?? 0;
      if (this.isString) {
        if (this.isEscaped) this.isEscaped = false;
        else if (byte === BACKSLASH) this.isEscaped = true;
        else if (byte === QUOTE) this.isString = false;
      } else if (byte === QUOTE) this.isString = true;
      else if (byte === OPEN_BRACE) {
        if (this.depth === 0) start = i;
        this.depth += 1;
      } else if (byte === CLOSE_BRACE && this.depth > 0) {
        this.depth -= 1;
        if (this.depth === 0) this.finish(chunk, start, i + 1, take);
      } else if (this.depth === 0) {
        if (byte === 0x5b) this.isArray = true;
        else if (byte === 0x5d) this.closed = true;
      }
    }
    if (this.depth > 0) this.keep(chunk.subarray(start), take);
  }

  private finish(chunk: Buffer, start: number, end: number, take: TakeElement): void {
    if (!this.isArray) this.closed = true;
    const isOver = this.heldBytes + end - start > this.limit;
    const last = chunk.subarray(start, end);
    if (!this.isOverlong) take(isOver ? null : this.heldBytes === 0 ? last : Buffer.concat([...this.held, last]));
    this.isOverlong = false;
    this.held = [];
    this.heldBytes = 0;
  }

  private keep(part: Buffer, take: TakeElement): void {
    if (this.isOverlong) return;
    if (this.heldBytes + part.length > this.limit) {
      take(null);
      this.isOverlong = true;
      this.held = [];
      this.heldBytes = 0;
      return;
    }
    this.held.push(Buffer.from(part));
    this.heldBytes += part.length;
  }
}
