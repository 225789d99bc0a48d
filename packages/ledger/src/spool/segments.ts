/**
 * The spool's files. Records go into the last one, the head; when it is full, a new one is begun. Files are removed whole,
 * the oldest first, so that what is left is always the end of one unbroken log: a record that undoes another never goes
 * before it.
 */
import type { Place, Segment } from './place.ts';
import type { RecordType } from './record.ts';
import { makeRecordLog, type RecordLog } from './record-log.ts';
import type { SpoolDisk } from './spool-disk.ts';

export interface Segments {
  /** Oldest first, without the head. */
  readonly full: readonly Segment[];
  head(): Segment;
  /** Of all files, those that wait to be written included. */
  bytes(): number;
  /** Of the head. */
  size(): number;
  waiting(): number;
  add(type: RecordType, json: string | Buffer): Place;
  /** Throws where the disk does not take what waits. */
  write(): void;
  takeBack(place: Place): void;
  /** Records go into a new file from now on. Throws where none can be made, and goes on as before. */
  begin(): void;
  /** Takes one that is not the head off the disk. Throws where the disk keeps it. */
  remove(segment: Segment): void;
  /** Keeps the file under another name, out of the spool; the name. */
  setAside(segment: Segment): string;
  close(): void;
}

/** What an earlier version called its only file, which is older than all others. */
const FIRST = 'spool.log';
const NAME = /^spool-([0-9]{8,15})\.log$/;

/** The spool's files in a folder, oldest first. */
export const openSegments = (disk: SpoolDisk): readonly Segment[] =>
  disk
    .names()
    .flatMap((name) => {
      const number = name === FIRST ? '0' : NAME.exec(name)?.[1];
      return number === undefined ? [] : [{ number: Number(number), name }];
    })
    .toSorted((a, b) => a.number - b.number)
    .map(({ number, name }) => ({ number, name, file: disk.open(name), bytes: 0, wanted: 0, log: null }));

/** `found`: as read at the start. `goOn`: the last of them is whole, and is written on. */
export const makeSegments = (disk: SpoolDisk, found: readonly Segment[], goOn: boolean): Segments => {
  const full = [...found];
  const last = full.at(-1);
  if (goOn) full.pop();
  let head = goOn && last ? last : newSegment(disk, (last?.number ?? 0) + 1);
  let log: RecordLog = (head.log = makeRecordLog(head.file, head.bytes));
  let fullBytes = full.reduce((sum, { bytes }) => sum + bytes, 0);

  const leave = (segment: Segment): void => {
    full.splice(full.indexOf(segment), 1);
    fullBytes -= segment.bytes;
    segment.file.close();
  };

  return {
    full,
    head: () => head,
    bytes: () => fullBytes + log.size(),
    size: () => log.size(),
    waiting: () => log.waiting(),
    add: (type, json) => {
      const { at, length } = log.add(type, json);
      return { segment: head, at, length };
    },
    write: () => {
      log.write();
    },
    takeBack: (place) => {
      log.takeBack(place);
    },
    begin: () => {
      const next = newSegment(disk, head.number + 1);
      head.bytes = log.size();
      if (log.waiting() === 0) head.log = null;
      full.push(head);
      fullBytes += head.bytes;
      head = next;
      log = head.log = makeRecordLog(head.file, 0);
    },
    remove: (segment) => {
      disk.remove(segment.name);
      leave(segment);
    },
    setAside: (segment) => {
      const kept = freeName(disk.names(), `${segment.name}.corrupt`);
      disk.rename(segment.name, kept);
      leave(segment);
      return kept;
    },
    close: () => {
      for (const { file } of [...full, head]) file.close();
    },
  };
};

const newSegment = (disk: SpoolDisk, number: number): Segment => {
  const name = `spool-${String(number).padStart(8, '0')}.log`;
  return { number, name, file: disk.open(name), bytes: 0, wanted: 0, log: null };
};

const freeName = (taken: readonly string[], name: string): string => {
  for (let number = 0; ; number += 1) {
    const free = number === 0 ? name : `${name}.${String(number)}`;
    if (!taken.includes(free)) return free;
  }
};
