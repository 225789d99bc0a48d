/**
 * A record on disk: u32 length, u32 CRC-32 of the payload (both little-endian), payload = one type byte and JSON in UTF-8.
 * A cut file ends in a torn record, whose effect had not happened yet; a bad record with good ones behind it is damage.
 */
import { crc32 } from 'node:zlib';

/** P epoch, L lease, I intent, S settle, C closed, A acknowledged. */
export type RecordType = 'P' | 'L' | 'I' | 'S' | 'C' | 'A';

export interface SpoolRecord {
  readonly type: RecordType;
  readonly json: string;
}

export interface Reading {
  readonly records: readonly SpoolRecord[];
  /** Bytes up to the end of the last good record. */
  readonly end: number;
  /** Offset of the first bytes that are no record though good ones follow, or whose type is not known; null = none. */
  readonly damagedAt: number | null;
}

const TYPES: readonly RecordType[] = ['P', 'L', 'I', 'S', 'C', 'A'];
const HEADER = 8;
/** No event comes near: 256 counters with long names. A length above it is noise. */
export const MAX_RECORD = 4 << 20;

export type RecordWriter = (type: RecordType, json: string) => Buffer;

/** The bytes of a record, in a buffer that the next call overwrites: no allocation a record. */
export const makeRecordWriter = (): RecordWriter => {
  let scratch = Buffer.allocUnsafeSlow(64 << 10);
  return (type, json) => {
    // UTF-8 takes at most three bytes a UTF-16 unit.
    const most = HEADER + 1 + json.length * 3;
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
    const length = 1 + scratch.write(json, HEADER + 1, 'utf8');
    scratch[HEADER] = type.charCodeAt(0);
    scratch.writeUInt32LE(length, 0);
    scratch.writeUInt32LE(crc32(scratch.subarray(HEADER, HEADER + length)), 4);
    return scratch.subarray(0, HEADER + length);
  };
};

export const readRecords = (bytes: Buffer): Reading => {
  const records: SpoolRecord[] = [];
  let offset = 0;
  let end = 0;
  let damagedAt: number | null = null;
  while (offset < bytes.length) {
    const payload = payloadAt(bytes, offset);
    if (!payload) {
      const next = nextRecord(bytes, offset + 1);
      if (next === null) break;
      damagedAt ??= offset;
      offset = next;
      continue;
    }
    const type = typeOf(payload);
    // A whole record of a type that a later version wrote: its meaning is lost, so this file is not ours to go on with.
    if (type === null) damagedAt ??= offset;
    else records.push({ type, json: payload.toString('utf8', 1) });
    offset += HEADER + payload.length;
    end = offset;
  }
  return { records, end, damagedAt };
};

const payloadAt = (bytes: Buffer, offset: number): Buffer | null => {
  if (bytes.length - offset < HEADER) return null;
  const length = bytes.readUInt32LE(offset);
  const from = offset + HEADER;
  if (length < 1 || length > MAX_RECORD || from + length > bytes.length) return null;
  const payload = bytes.subarray(from, from + length);
  return crc32(payload) === bytes.readUInt32LE(offset + 4) ? payload : null;
};

/** Where the next good record starts, looked for byte by byte: only a known type is worth a checksum. */
const nextRecord = (bytes: Buffer, from: number): number | null => {
  for (let offset = from; offset <= bytes.length - HEADER - 1; offset += 1) {
    if (typeOf(bytes.subarray(offset + HEADER)) !== null && payloadAt(bytes, offset)) return offset;
  }
  return null;
};

const typeOf = (payload: Buffer): RecordType | null => TYPES.find((type) => type.charCodeAt(0) === payload[0]) ?? null;
