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

export const isOnDisk = ({ segment, at, length }: Place): boolean => segment.log?.isWritten({ at, length }) ?? true;
