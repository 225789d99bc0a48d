/**
 * A record on disk: u32 length, u32 CRC-32 of the payload (both little-endian), payload = one type byte and JSON in UTF-8.
 * A cut file ends in a torn record, whose effect had not happened yet; a bad record with good ones behind it is damage.
 */
import { crc32 } from 'node:zlib';

/** P epoch, L lease, I intent, T tightened intent, S settle, C closed, A acknowledged. */
export type RecordType = 'P' | 'L' | 'I' | 'T' | 'S' | 'C' | 'A';

export interface SpoolRecord {
  readonly type: RecordType;
  readonly json: string;
  /** Where the JSON's bytes are in the file, and how many. */
  readonly at: number;
  readonly length: number;
}

export interface Reading {
  readonly records: readonly SpoolRecord[];
  /** Bytes up to the end of the last good record. */
  readonly end: number;
  /** Offset of the first bytes that are no record though good ones follow, or whose type is not known; null = none. */
  readonly damagedAt: number | null;
}

const TYPES: readonly RecordType[] = ['P', 'L', 'I', 'T', 'S', 'C', 'A'];
const HEADER = 8;
/** Before a record's JSON. */
export const JSON_OFFSET = HEADER + 1;
/** No event comes near: 256 counters with long names. A length above it is noise. */
export const MAX_RECORD = 4 << 20;

/** Bytes that a record of this JSON can take: UTF-8 takes at most three a UTF-16 unit. */
export const mostBytes = (json: string | Buffer): number =>
  JSON_OFFSET + (typeof json === 'string' ? json.length * 3 : json.length);

/** Puts a record at `at`, where `mostBytes` of room are; how many bytes it took. */
export const writeRecord = (into: Buffer, at: number, type: RecordType, json: string | Buffer): number => {
  const from = at + HEADER;
  const length = 1 + (typeof json === 'string' ? into.write(json, from + 1, 'utf8') : json.copy(into, from + 1));
  into[from] = type.charCodeAt(0);
  into.writeUInt32LE(length, at);
  into.writeUInt32LE(crc32(into.subarray(from, from + length)), at + 4);
  return HEADER + length;
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
    else
      records.push({
        type,
        json: payload.toString('utf8', 1),
        at: offset + JSON_OFFSET,
        length: payload.length - 1,
      });
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
