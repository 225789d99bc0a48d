/**
 * The proxy's write-ahead log. Every method writes its record before it returns, and before the effect that the record
 * stands for, but for `settle` where a `defer` is given; `lives` is what the records add up to. Opening replays what an
 * earlier process left.
 */
import type { LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { Grant } from '../lease-port.ts';
import { ANY_EPOCH } from '../session.ts';
import type { SealedEvent } from '../wire/sealed-event.ts';
import { decodeEntry, encodeEntry } from './entry-json.ts';
import { makeJournal, seqRanges, type Entry, type Journal, type KeptEvent, type Life } from './journal.ts';
import { makeRecordLog, type RecordLog } from './record-log.ts';
import { readRecords } from './record.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { SpoolFault } from './spool-fault.ts';

export interface Spool {
  readonly lives: ReadonlyMap<string, Life>;
  readonly opened: SpoolOpening;
  life(instance: string): Life;
  epoch(instance: string, epoch: string): void;
  lease(instance: string, grant: Grant): void;
  intent(intent: Intent): void;
  /** Takes effect even if the disk refuses it: the event is shipped all the same, and written when the disk takes it. */
  settle(event: LedgerEvent): void;
  /** Unacknowledged events as they are to be shipped. */
  sealed(events: readonly KeptEvent[]): readonly SealedEvent[];
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
  /**
   * Runs something at the end of the turn at hand. With it a settlement is written then, or with the next record if that
   * comes first: half the writes of a busy proxy. Nothing can be spent meanwhile that the disk does not know of, since
   * the intent that would spend what came free is written behind it; a crash before charges the hold.
   */
  readonly defer?: (act: () => void) => void;
}

export const openSpool = ({ disk, name = 'spool.log', compactAt = 8 << 20, defer }: SpoolDeps): Spool => {
  const journal = makeJournal();
  const { opened, ...replayed } = replay(disk, name, journal);
  let { log } = replayed;
  let compactNext = compactAt;
  let writeFaults = 0;
  let isDeferred = false;
  let isClosed = false;

  const mustBeOpen = (): void => {
    if (isClosed) throw new SpoolFault('closed', 'the spool is closed');
  };

  const write = (): void => {
    try {
      log.write();
    } catch (cause) {
      writeFaults += 1;
      throw new SpoolFault('write', `the spool could not take ${String(log.waiting())} bytes`, { cause });
    }
  };

  /** For what may happen only once the disk knows it. */
  const note = (entry: Entry): void => {
    mustBeOpen();
    const place = log.add(entry.type, encodeEntry(entry));
    try {
      write();
    } catch (fault) {
      log.takeBack(place);
      throw fault;
    }
    journal.apply(entry, place);
  };

  const addAnyway = (entry: Entry): void => {
    mustBeOpen();
    journal.apply(entry, log.add(entry.type, encodeEntry(entry)));
  };

  /** For what has happened already, whether the disk knows it or not. */
  const noteAnyway = (entry: Entry): void => {
    addAnyway(entry);
    write();
  };

  const writeDeferred = (): void => {
    isDeferred = false;
    if (isClosed) return;
    try {
      write();
    } catch {
      // Counted; the next intent fails by it, and nothing is spent without one.
    }
  };

  const compactIfWorth = (): void => {
    const idle = [...journal.lives.values()].every((life) => life.open.size === 0 && life.unacked.size === 0);
    if (log.size() < (idle ? Math.min(compactNext, IDLE_COMPACT) : compactNext)) return;
    try {
      const next = rewrite(disk, name, journal, log);
      log.close();
      log = next;
    } catch {
      // The old file is whole and stays in use; the next acknowledgement tries again.
      writeFaults += 1;
    }
    compactNext = Math.max(compactAt, log.size() * 4);
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
      addAnyway({ type: 'S', event });
      if (defer === undefined) write();
      else if (!isDeferred) {
        isDeferred = true;
        defer(writeDeferred);
      }
    },
    sealed: (events) => events.map((event) => ({ instance: event.instance, seq: event.seq, json: log.read(event) })),
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
      return { bytes: log.size(), open, unacked, writeFaults };
    },
    close: () => {
      if (isClosed) return;
      writeDeferred();
      isClosed = true;
      log.close();
      disk.close();
    },
  };
};

/** Bytes from which a file with nothing open in it is written anew. */
const IDLE_COMPACT = 1 << 20;

const replay = (
  disk: SpoolDisk,
  name: string,
  journal: Journal,
): { readonly log: RecordLog; readonly opened: SpoolOpening } => {
  const file = disk.open(name);
  const bytes = file.read();
  const { records, end, damagedAt } = readRecords(bytes);
  let unreadable = damagedAt !== null;
  for (const record of records) {
    try {
      journal.apply(decodeEntry(record), record);
    } catch {
      // A good checksum over something we cannot read: another version's, or a bug's. Nothing is guessed.
      unreadable = true;
    }
  }
  if (!unreadable) {
    if (end < bytes.length) file.truncate(end);
    const opened = { records: records.length, tornBytes: bytes.length - end, quarantined: null, damaged: [] };
    return { log: makeRecordLog(file, end), opened };
  }
  for (const life of journal.lives.values()) {
    life.damaged = true;
    // Carries the mark over, whatever else is left of it.
    life.epochs.add(ANY_EPOCH);
  }
  const kept = freeName(disk, `${name}.corrupt`);
  disk.rename(name, kept);
  const opened = { records: records.length, tornBytes: 0, quarantined: kept, damaged: [...journal.lives.keys()] };
  const log = rewrite(disk, name, journal, makeRecordLog(file, bytes.length));
  file.close();
  return { log, opened };
};

const freeName = (disk: SpoolDisk, name: string): string => {
  for (let number = 0; ; number += 1) {
    const free = number === 0 ? name : `${name}.${String(number)}`;
    if (!disk.exists(free)) return free;
  }
};

/** Bytes that are written to a new file at once. */
const DRAFT_WRITE = 64 << 10;

/** Writes what is still open into a new file and puts it in the old one's place, which is untouched until then. */
const rewrite = (disk: SpoolDisk, name: string, journal: Journal, old: RecordLog): RecordLog => {
  const draft = `${name}.next`;
  const file = disk.open(draft);
  const moved: { readonly event: KeptEvent; readonly at: number }[] = [];
  try {
    file.truncate(0);
    const log = makeRecordLog(file, 0);
    for (const entry of remaining(journal.lives.values())) {
      if ('kept' in entry) moved.push({ event: entry.kept, at: log.add('S', old.read(entry.kept)).at });
      else log.add(entry.type, encodeEntry(entry));
      if (log.waiting() >= DRAFT_WRITE) log.write();
    }
    log.write();
    disk.rename(draft, name);
    for (const { event, at } of moved) event.at = at;
    return log;
  } catch (fault) {
    file.close();
    throw fault;
  }
};

function* remaining(lives: Iterable<Life>): Generator<Entry | { readonly kept: KeptEvent }> {
  for (const { instance, epochs, open, unacked, lastSeq, damaged } of lives) {
    for (const epoch of epochs) yield { type: 'P', instance, epoch, lastSeq, damaged };
    for (const intent of open.values()) yield { type: 'I', intent };
    for (const kept of unacked.values()) yield { kept };
  }
}
