/**
 * The proxy's write-ahead log. Every method writes one record in one write before it returns, and before the effect that
 * the record stands for; `lives` is what the records add up to. Opening replays what an earlier process left.
 *
 * Measured on a busy 2-core machine (Node 24, ext4): 3.4 µs p50 an intent, 4.9 µs p50 a settlement, JSON and checksum
 * included.
 */
import type { LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { Grant } from '../lease-port.ts';
import { decodeEntry, encodeEntry } from './entry-json.ts';
import { ANY_EPOCH, makeJournal, seqRanges, type Entry, type Journal, type Life } from './journal.ts';
import { makeRecordWriter, readRecords, type RecordWriter } from './record.ts';
import type { SpoolDisk, SpoolFile } from './spool-disk.ts';
import { SpoolFault } from './spool-fault.ts';

export interface Spool {
  readonly lives: ReadonlyMap<string, Life>;
  readonly opened: SpoolOpening;
  life(instance: string): Life;
  epoch(instance: string, epoch: string): void;
  lease(instance: string, grant: Grant): void;
  intent(intent: Intent): void;
  /** Takes effect in memory even if the disk refuses it: the event is shipped all the same. */
  settle(event: LedgerEvent): void;
  acked(instance: string, seqs: readonly number[]): void;
  closed(instance: string, epoch: string): void;
  stats(): SpoolStats;
  close(): void;
}

export interface SpoolOpening {
  readonly records: number;
  /** Bytes of a torn last record that were cut off. */
  readonly tornBytes: number;
  /** The file that damage was found in, kept under this name; what could be read of it lives on here. */
  readonly quarantined: string | null;
  /** Instances whose intents may have been lost: they are never closed, so that what they took stays charged. */
  readonly damaged: readonly string[];
}

export interface SpoolStats {
  readonly bytes: number;
  readonly open: number;
  readonly unacked: number;
  readonly writeFaults: number;
}

export interface SpoolDeps {
  readonly disk: SpoolDisk;
  readonly name?: string;
  /** Bytes from which a file is written anew with only what is still open. */
  readonly compactAt?: number;
}

export const openSpool = ({ disk, name = 'spool.log', compactAt = 1 << 20 }: SpoolDeps): Spool => {
  const journal = makeJournal();
  const write = makeRecordWriter();
  const { opened, ...replayed } = replay(disk, name, journal, write);
  let { file, size } = replayed;
  let compactNext = compactAt;
  let writeFaults = 0;
  /** A failed write may have left bytes behind; they are cut off before the next. */
  let dirty = false;
  let isClosed = false;

  const append = (entry: Entry): void => {
    if (isClosed) throw new SpoolFault('closed', 'the spool is closed');
    const bytes = write(entry.type, encodeEntry(entry));
    try {
      if (dirty) file.truncate(size);
      dirty = true;
      file.append(bytes);
      dirty = false;
    } catch (cause) {
      writeFaults += 1;
      throw new SpoolFault('write', `the spool could not take a record of ${String(bytes.length)} bytes`, { cause });
    }
    size += bytes.length;
  };

  const note = (entry: Entry): void => {
    append(entry);
    journal.apply(entry);
  };

  /** For what has happened already, whether the disk knows it or not. */
  const noteAnyway = (entry: Entry): void => {
    try {
      append(entry);
    } finally {
      journal.apply(entry);
    }
  };

  const compactIfWorth = (): void => {
    const idle = [...journal.lives.values()].every((life) => life.open.size === 0 && life.unacked.size === 0);
    if (size < (idle ? Math.min(compactNext, 64 << 10) : compactNext)) return;
    try {
      const next = rewrite(disk, name, journal, write);
      file.close();
      ({ file, size } = next);
      dirty = false;
    } catch {
      // The old file is whole and stays in use; the next acknowledgement tries again.
      writeFaults += 1;
    }
    compactNext = Math.max(compactAt, size * 4);
  };

  return {
    lives: journal.lives,
    opened,
    life: journal.life,
    epoch: (instance, epoch) => {
      const life = journal.life(instance);
      if (!life.epochs.has(epoch)) noteAnyway({ type: 'P', instance, epoch, lastSeq: life.lastSeq, damaged: false });
    },
    lease: (instance, grant) => {
      const { budget, limit, partition, leaseId, epoch, window, amount } = grant;
      noteAnyway({
        type: 'L',
        instance,
        grant: { budget, limit, partition, leaseId, epoch, windowId: window.id, amount },
      });
    },
    intent: (intent) => {
      note({ type: 'I', intent });
    },
    settle: (event) => {
      noteAnyway({ type: 'S', event });
    },
    acked: (instance, seqs) => {
      try {
        noteAnyway({ type: 'A', instance, ranges: seqRanges(seqs) });
      } catch (fault) {
        // Not knowing that it was acknowledged costs a second delivery, which the ledger takes for what it is.
        if (!(fault instanceof SpoolFault)) throw fault;
      }
      compactIfWorth();
    },
    closed: (instance, epoch) => {
      try {
        noteAnyway({ type: 'C', instance, epoch });
      } catch (fault) {
        if (!(fault instanceof SpoolFault)) throw fault;
      }
    },
    stats: () => {
      let open = 0;
      let unacked = 0;
      for (const life of journal.lives.values()) {
        open += life.open.size;
        unacked += life.unacked.size;
      }
      return { bytes: size, open, unacked, writeFaults };
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      file.close();
      disk.close();
    },
  };
};

interface OpenFile {
  file: SpoolFile;
  size: number;
}

const replay = (
  disk: SpoolDisk,
  name: string,
  journal: Journal,
  write: RecordWriter,
): OpenFile & { opened: SpoolOpening } => {
  const file = disk.open(name);
  const bytes = file.read();
  const { records, end, damagedAt } = readRecords(bytes);
  let unreadable = damagedAt !== null;
  for (const record of records) {
    try {
      journal.apply(decodeEntry(record));
    } catch {
      // A good checksum over something we cannot read: another version's, or a bug's. Nothing is guessed.
      unreadable = true;
    }
  }
  if (!unreadable) {
    if (end < bytes.length) file.truncate(end);
    const opened = { records: records.length, tornBytes: bytes.length - end, quarantined: null, damaged: [] };
    return { file, size: end, opened };
  }
  file.close();
  for (const life of journal.lives.values()) {
    life.damaged = true;
    // Carries the mark over, whatever else is left of it.
    life.epochs.add(ANY_EPOCH);
  }
  const kept = freeName(disk, `${name}.corrupt`);
  disk.rename(name, kept);
  const opened = { records: records.length, tornBytes: 0, quarantined: kept, damaged: [...journal.lives.keys()] };
  return { ...rewrite(disk, name, journal, write), opened };
};

const freeName = (disk: SpoolDisk, name: string): string => {
  for (let number = 0; ; number += 1) {
    const free = number === 0 ? name : `${name}.${String(number)}`;
    if (!disk.exists(free)) return free;
  }
};

/** Writes what is still open into a new file and puts it in the old one's place, which is untouched until then. */
const rewrite = (disk: SpoolDisk, name: string, journal: Journal, write: RecordWriter): OpenFile => {
  const draft = `${name}.next`;
  const file = disk.open(draft);
  let size = 0;
  try {
    file.truncate(0);
    for (const entry of remaining(journal.lives.values())) {
      const bytes = write(entry.type, encodeEntry(entry));
      file.append(bytes);
      size += bytes.length;
    }
    disk.rename(draft, name);
  } catch (fault) {
    file.close();
    throw fault;
  }
  return { file, size };
};

function* remaining(lives: Iterable<Life>): Generator<Entry> {
  for (const { instance, epochs, open, unacked, lastSeq, damaged } of lives) {
    for (const epoch of epochs) yield { type: 'P', instance, epoch, lastSeq, damaged };
    for (const intent of open.values()) yield { type: 'I', intent };
    for (const event of unacked.values()) yield { type: 'S', event };
  }
}
