/** Where a record of the spool is: the types that its journal and its files share. */
import type { RecordLog, Span } from './record-log.ts';
import type { SpoolFile } from './spool-disk.ts';

/** Which bytes of which file are a record's JSON. */
export interface Place extends Span {
  readonly segment: Segment;
}

/** One file of the spool. */
export interface Segment {
  /** Rises from file to file. */
  readonly number: number;
  readonly name: string;
  readonly file: SpoolFile;
  /** Of good records, once it is no longer written. */
  bytes: number;
  /** Bytes of open intents and of events that are not acknowledged; at 0 the file can go, and no sooner. */
  wanted: number;
  /** While records are added to it, and for as long as some of them could not be written. */
  log: RecordLog | null;
}

export const readPlace = ({ segment, at, length }: Place): Buffer =>
  segment.log?.read({ at, length }) ?? segment.file.readAt(at, length);

/** Bytes that are read at once, those between two places included. */
const MOST_AT_ONCE = 256 << 10;

/** The same of many: what lies near together in a file is read by one call of the system, not by one a record. */
export const readPlaces = (places: readonly Place[]): readonly Buffer[] => {
  const read: Buffer[] = [];
  for (let from = 0; from < places.length;) {
    const run = runFrom(places, from);
    const { first, end } = run;
    if (run.count === 1) read.push(readPlace(first));
    else {
      const bytes = first.segment.file.readAt(first.at, end - first.at);
      for (const { at, length } of places.slice(from, from + run.count))
        read.push(bytes.subarray(at - first.at, at - first.at + length));
    }
    from += run.count;
  }
  return read;
};

const runFrom = (
  places: readonly Place[],
  from: number,
): { readonly first: Place; readonly end: number; readonly count: number } => {
  const first = places[from];
  if (first === undefined) throw new RangeError('no place to read from');
  let end = first.at + first.length;
  let count = 1;
  for (let next = places[from + 1]; next !== undefined; next = places[from + count]) {
    const isNear = next.segment === first.segment && next.at >= end && next.at + next.length - first.at <= MOST_AT_ONCE;
    if (!isNear || !isOnDisk(next)) break;
    end = next.at + next.length;
    count += 1;
  }
  return { first, end, count };
};

export const isOnDisk = ({ segment, at, length }: Place): boolean => segment.log?.isWritten({ at, length }) ?? true;
