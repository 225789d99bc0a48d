/**
 * The file of records that is written now. What is added waits in memory until it is written, in one write with all that
 * was added before it, so that the order on the disk is the order of adding, wherever a crash cuts it.
 */
import { JSON_OFFSET, type RecordType, mostBytes, writeRecord } from './record.ts';
import type { SpoolFile } from './spool-disk.ts';

/** Where the JSON of a record is, from the file's beginning. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

export interface RecordLog {
  /** Bytes, those that wait included. */
  size(): number;
  /** Bytes that wait. */
  waiting(): number;
  add(type: RecordType, json: string | Buffer): Span;
  /** Throws where the disk does not take them: they stay, and go first the next time. */
  write(): void;
  /** The last record that was added is not to be written after all. */
  takeBack(span: Span): void;
  isWritten(span: Span): boolean;
  /** What was added, written or not. */
  read(span: Span): Buffer;
}

/** Where few bytes wait, and where many have waited: bytes kept for the next. */
const FIRST_SCRATCH = 8 << 10;
const SCRATCH = 64 << 10;

/** `written`: bytes of good records that the file holds; whatever follows them is cut off first. */
export const makeRecordLog = (file: SpoolFile, written: number): RecordLog => {
  let scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH);
  let filled = 0;
  /** A failed write may have left bytes behind. */
  let dirty = false;

  const makeRoom = (bytes: number): void => {
    if (filled + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(filled + bytes, scratch.length * 2));
    scratch.copy(larger, 0, 0, filled);
    scratch = larger;
  };

  return {
    size: () => written + filled,
    waiting: () => filled,
    add: (type, json) => {
      makeRoom(mostBytes(json));
      const bytes = writeRecord(scratch, filled, type, json);
      const span = { at: written + filled + JSON_OFFSET, length: bytes - JSON_OFFSET };
      filled += bytes;
      return span;
    },
    write: () => {
      if (filled === 0) return;
      if (dirty) file.truncate(written);
      dirty = true;
      file.append(scratch.subarray(0, filled));
      dirty = false;
      written += filled;
      filled = 0;
      if (scratch.length > SCRATCH) scratch = Buffer.allocUnsafeSlow(SCRATCH);
    },
    takeBack: ({ at }) => {
      filled = at - JSON_OFFSET - written;
    },
    isWritten: ({ at }) => at < written,
    read: ({ at, length }) =>
      at < written ? file.readAt(at, length) : Buffer.from(scratch.subarray(at - written, at - written + length)),
  };
};
