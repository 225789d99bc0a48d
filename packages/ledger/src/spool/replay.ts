/** Reads what earlier processes left in the spool's folder into the journal. */
import { decodeEntry } from './entry-json.ts';
import type { Journal } from './journal.ts';
import type { Segment } from './place.ts';
import { readRecords } from './record.ts';

export interface Replay {
  readonly records: number;
  /** Bytes of a torn last record that were cut off. */
  readonly tornBytes: number;
  /** Files with something in them that could not be read. */
  readonly damaged: readonly Segment[];
}

export const replay = (segments: readonly Segment[], journal: Journal): Replay => {
  const damaged: Segment[] = [];
  let records = 0;
  let tornBytes = 0;
  for (const segment of segments) {
    const bytes = segment.file.read();
    const reading = readRecords(bytes);
    segment.bytes = reading.end;
    records += reading.records.length;
    let isWhole = reading.damagedAt === null;
    for (const record of reading.records) {
      try {
        journal.apply(decodeEntry(record), { segment, at: record.at, length: record.length });
      } catch {
        // A good checksum over something we cannot read: another version's, or a bug's. Nothing is guessed.
        isWhole = false;
      }
    }
    const torn = bytes.length - reading.end;
    if (torn > 0 && isWhole) {
      // A cut in the middle of the log is no crash's: a new file is begun only behind a whole one.
      if (segment !== segments.at(-1)) isWhole = false;
      else {
        segment.file.truncate(reading.end);
        tornBytes = torn;
      }
    }
    if (!isWhole) damaged.push(segment);
  }
  return { records, tornBytes, damaged };
};
