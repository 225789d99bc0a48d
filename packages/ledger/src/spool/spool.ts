/**
 * The proxy's write-ahead log. Every method writes its record before it returns, and before the effect that the record
 * stands for, but for `settle` where a `defer` is given; `lives` is what the records add up to. Opening replays what an
 * earlier process left. It keeps within its bound: near it, and wherever the disk takes nothing, no intent is taken, while
 * settlements wait in memory and are shipped from there; it goes on by itself once there is room again.
 */
import type { LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { Grant } from '../lease-port.ts';
import { ANY_EPOCH } from '../session.ts';
import type { SealedEvent } from '../wire/sealed-event.ts';
import { encodeEntry } from './entry-json.ts';
import {
  makeJournal,
  seqRanges,
  settlementRoom,
  type Entry,
  type KeptEvent,
  type Life,
  type Tightened,
} from './journal.ts';
import { isOnDisk, readPlace, readPlaces, type Place, type Segment } from './place.ts';
import { replay } from './replay.ts';
import { makeSegments, openSegments } from './segments.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { SpoolFault } from './spool-fault.ts';

export interface Spool {
  readonly lives: ReadonlyMap<string, Life>;
  readonly opened: SpoolOpening;
  life(instance: string): Life;
  epoch(instance: string, epoch: string): void;
  lease(instance: string, grant: Grant): void;
  /** All of them in one write, or none. */
  intent(...intents: readonly Intent[]): void;
  /** What this lowers an open intent by may be held by another once this returned. */
  tighten(instance: string, tightened: Tightened): void;
  /** Takes effect even if the disk refuses it: the event is shipped all the same, and written when the disk takes it. */
  settle(event: LedgerEvent): void;
  /** Unacknowledged events as they are to be shipped. */
  sealed(events: readonly KeptEvent[]): readonly SealedEvent[];
  acked(instance: string, seqs: readonly number[]): void;
  closed(instance: string, epoch: string): void;
  /** To be called every second or so: writes what waits, and makes a lost folder again. */
  tend(): void;
  /** Why no intent is taken; null = they are. */
  trouble(): SpoolTrouble | null;
  stats(): SpoolStats;
  close(): void;
}

/** `full`: 90 % of the bound. `disk`: the disk takes nothing. `lost`: the folder was taken away. */
export type SpoolTrouble = 'full' | 'disk' | 'lost';

export interface SpoolOpening {
  readonly records: number;
  /** Bytes of a torn last record that were cut off. */
  readonly tornBytes: number;
  /** The files that damage was found in, kept under these names; what could be read of them lives on here. */
  readonly quarantined: readonly string[];
  /** Instances whose intents may have been lost: they are never closed, so that what they took stays charged. */
  readonly damaged: readonly string[];
}

export interface SpoolStats {
  readonly bytes: number;
  /** At most so many. */
  readonly maxBytes: number;
  readonly files: number;
  readonly open: number;
  readonly unacked: number;
  readonly writeFaults: number;
}

export interface SpoolDeps {
  readonly disk: SpoolDisk;
  /** Bytes at which a new file is begun. */
  readonly segmentBytes?: number;
  /** Of all files together; less where the disk has less. */
  readonly maxBytes?: number;
  /**
   * Runs something at the end of the turn at hand. With it a settlement is written then, or with the next record if that
   * comes first: most often with the intents of its turn. Nothing can be spent meanwhile that the disk does not know of, since
   * the intent that would spend what came free is written behind it; a crash before charges the hold.
   */
  readonly defer?: (act: () => void) => void;
}

const SEGMENT_BYTES = 4 << 20;
const MAX_BYTES = 256 << 20;
/** A file is at most this part of the bound, so that removing one makes room for the next. */
const LEAST_FILES = 8;
/** Of the bound: what is above is for settlements. */
const INTENTS_SHARE = 0.9;
const LEAST_SEGMENT_BYTES = 64 << 10;
/** Bytes that are written at once where records are written again. */
const MOVE_BYTES = 256 << 10;

export const openSpool = ({ disk, segmentBytes = SEGMENT_BYTES, maxBytes = MAX_BYTES, defer }: SpoolDeps): Spool => {
  const journal = makeJournal();
  const found = openSegments(disk);
  const { damaged, records, tornBytes } = replay(found, journal);
  const last = found.at(-1);
  const goesOn = last !== undefined && damaged.length === 0 && last.bytes < segmentBytes;
  const segments = makeSegments(disk, found, goesOn);
  let bound = maxBytes;
  let segmentBound = segmentBytes;
  let writeFaults = 0;
  /** The disk did not take the last write. */
  let isRefusing = false;
  let isLost = false;
  let isDeferred = false;
  let isClosed = false;

  const measure = (): void => {
    const room = disk.room();
    bound = room === null ? maxBytes : Math.min(maxBytes, segments.bytes() + room);
    segmentBound = Math.min(segmentBytes, Math.max(LEAST_SEGMENT_BYTES, Math.floor(bound / LEAST_FILES)));
  };

  const mustBeOpen = (): void => {
    if (isClosed) throw new SpoolFault('closed', 'the spool is closed');
  };

  const write = (): void => {
    try {
      segments.write();
      isRefusing = false;
    } catch (cause) {
      writeFaults += 1;
      isRefusing = true;
      throw new SpoolFault('write', `the spool could not take ${String(segments.waiting())} bytes`, { cause });
    }
    if (segments.size() >= segmentBound) rotate();
  };

  const tryTo = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (fault) {
      if (!(fault instanceof SpoolFault)) writeFaults += 1;
      return false;
    }
  };

  const addAnyway = (entry: Entry): void => {
    mustBeOpen();
    journal.apply(entry, segments.add(entry.type, encodeEntry(entry)));
  };
  /** For what has happened already, whether the disk knows it or not. */
  const noteAnyway = (entry: Entry): void => {
    addAnyway(entry);
    write();
  };
  /** For what may happen only once the disk knows it: all of it in one write, or nothing. */
  const note = (entries: readonly Entry[]): void => {
    mustBeOpen();
    const places: Place[] = [];
    let promised = 0;
    try {
      for (const entry of entries) {
        if (entry.type === 'I') mayTakeIntents(promised);
        const place = segments.add(entry.type, encodeEntry(entry));
        places.push(place);
        promised += settlementRoom(place);
      }
      write();
    } catch (fault) {
      const [first] = places;
      if (first !== undefined) segments.takeBack(first);
      throw fault;
    }
    for (const [index, entry] of entries.entries()) journal.apply(entry, places[index] as Place);
  };

  /** At the head of a file: what is known of each life besides its attempts, so that older files can go. */
  const addHeader = (): void => {
    for (const { instance, epochs, lastSeq, damaged } of journal.lives.values())
      for (const epoch of epochs) addAnyway({ type: 'P', instance, epoch, lastSeq, damaged });
  };

  const rotate = (): void => {
    // Where no file can be begun, this one grows.
    tryTo(() => {
      segments.begin();
      addHeader();
      segments.write();
    });
  };

  /** Writes again what is wanted of these files, so that nothing in them is. */
  const moveOut = (from: ReadonlySet<Segment>): void => {
    for (const life of journal.lives.values()) {
      for (const { intent, place } of life.open.values()) if (from.has(place.segment)) addAnyway({ type: 'I', intent });
      for (const event of life.unacked.values()) {
        if (!from.has(event.place.segment)) continue;
        if (segments.waiting() >= MOVE_BYTES) write();
        const bytes = readOrNull(event);
        if (bytes !== null) journal.move(event, segments.add('S', bytes));
        else {
          // What cannot be read cannot be delivered: never closed, so its lease stays charged.
          life.damaged = true;
          journal.lose(event);
        }
      }
    }
  };

  const isAllOnDisk = (): boolean => {
    if (segments.waiting() === 0) return true;
    for (const { open, unacked } of journal.lives.values()) {
      for (const { place } of open.values()) if (!isOnDisk(place)) return false;
      for (const { place } of unacked.values()) if (!isOnDisk(place)) return false;
    }
    return true;
  };

  const removeUnwanted = (): void => {
    for (let oldest = segments.full[0]; oldest?.wanted === 0 && isAllOnDisk(); oldest = segments.full[0]) {
      const unwanted = oldest;
      if (!tryTo(() => segments.remove(unwanted))) return;
      // Its bytes may be just what was missing.
      if (isRefusing) tryTo(write);
    }
  };

  /** A few open calls must not keep a long log alive: they are written again, once four times as much is of no use. */
  const tidy = (): void => {
    removeUnwanted();
    const oldest = segments.full[0];
    if (oldest === undefined || isRefusing) return;
    const wanted = segments.full.reduce((sum, segment) => sum + segment.wanted, segments.head().wanted);
    if (segments.bytes() - wanted < Math.max(segmentBound, oldest.wanted * 4)) return;
    tryTo(() => {
      moveOut(new Set([oldest]));
      write();
    });
    removeUnwanted();
  };

  const writeDeferred = (): void => {
    isDeferred = false;
    // Where it fails it is counted; the next intent fails by it, and nothing is spent without one.
    if (!isClosed) tryTo(write);
  };

  /** All that is still needed, in a new file of a folder made again. */
  const renew = (): void => {
    isLost = true;
    tryTo(() => {
      disk.renew();
      segments.begin();
      addHeader();
      const old = [...segments.full];
      moveOut(new Set(old));
      write();
      for (const segment of old) segments.remove(segment);
      isLost = false;
    });
  };

  const isFull = (promised = 0): boolean => segments.bytes() + journal.reserved() + promised >= bound * INTENTS_SHARE;

  const trouble = (): SpoolTrouble | null => (isLost ? 'lost' : isRefusing ? 'disk' : isFull() ? 'full' : null);

  /** `promised`: bytes for the settlements of those that are to be taken with it. */
  const mayTakeIntents = (promised: number): void => {
    if (isLost) throw new SpoolFault('lost', 'the folder of the spool is gone');
    if (isFull(promised))
      throw new SpoolFault('full', `the spool is at 90 % of its ${String(bound)} bytes; the rest is for settlements`);
  };

  const begin = (): SpoolOpening => {
    for (const life of damaged.length > 0 ? journal.lives.values() : []) {
      life.damaged = true;
      // Carries the mark over, whatever else is left of it.
      life.epochs.add(ANY_EPOCH);
    }
    tryTo(measure);
    addHeader();
    tryTo(() => {
      moveOut(new Set(damaged));
    });
    // A damaged file that could not be replaced stays, and is looked at again by the next process.
    const quarantined = tryTo(write) ? damaged.map((segment) => segments.setAside(segment)) : [];
    removeUnwanted();
    return { records, tornBytes, quarantined, damaged: damaged.length > 0 ? [...journal.lives.keys()] : [] };
  };

  return {
    lives: journal.lives,
    opened: begin(),
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
    intent: (...intents) => {
      note(intents.map((intent) => ({ type: 'I', intent })));
    },
    tighten: (instance, tightened) => {
      note([{ type: 'T', instance, tightened }]);
    },
    settle: (event) => {
      addAnyway({ type: 'S', event });
      if (defer === undefined) write();
      else if (!isDeferred) {
        isDeferred = true;
        defer(writeDeferred);
      }
    },
    sealed: (events) => {
      const json = readPlaces(events.map(({ place }) => place));
      return events.map(({ instance, seq }, index) => ({ instance, seq, json: json[index] ?? NOTHING }));
    },
    acked: (instance, seqs) => {
      if (isClosed) return;
      // Not knowing that it was acknowledged costs a second delivery, which the ledger takes for what it is.
      tryTo(() => {
        noteAnyway({ type: 'A', instance, ranges: seqRanges(seqs) });
      });
      tidy();
    },
    closed: (instance, epoch) => {
      tryTo(() => {
        noteAnyway({ type: 'C', instance, epoch });
      });
    },
    tend: () => {
      if (isClosed) return;
      tryTo(measure);
      if (isLost || !isThere(segments.head())) renew();
      else if (isRefusing) {
        // Something has to be written to learn whether it can be.
        if (segments.waiting() === 0) addHeader();
        tryTo(write);
      }
      if (!isLost) tidy();
    },
    trouble,
    stats: () => {
      let open = 0;
      let unacked = 0;
      for (const life of journal.lives.values()) {
        open += life.open.size;
        unacked += life.unacked.size;
      }
      const files = segments.full.length + 1;
      return { bytes: segments.bytes(), maxBytes: bound, files, open, unacked, writeFaults };
    },
    close: () => {
      if (isClosed) return;
      writeDeferred();
      isClosed = true;
      segments.close();
      disk.close();
    },
  };
};

const readOrNull = ({ place }: KeptEvent): Buffer | null => {
  try {
    return readPlace(place);
  } catch {
    return null;
  }
};

const NOTHING = Buffer.alloc(0);

const isThere = ({ file }: Segment): boolean => {
  try {
    return file.isThere();
  } catch {
    return false;
  }
};
