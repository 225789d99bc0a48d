/**
 * What the spool's records add up to, by instance: replay and live writing apply the same records through the same
 * function, so that a restart sees what the running process saw.
 */
import type { CounterCharge, LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { CounterName } from '../counter.ts';
import type { Place } from './place.ts';

/** One process life. */
export interface Life {
  readonly instance: string;
  /** Epochs it may hold money of, until it has closed them; `ANY_EPOCH` for those that it may not have heard of. */
  readonly epochs: Set<string>;
  readonly open: Map<number, OpenIntent>;
  readonly unacked: Map<number, KeptEvent>;
  lastSeq: number;
  /** Some of its records could not be read. */
  damaged: boolean;
}

/** An attempt whose settlement has not been heard of. */
export interface OpenIntent {
  /** As it was last tightened. */
  readonly intent: Intent;
  readonly place: Place;
}

/** An event that the ledger has not acknowledged. Its bytes are in the spool's files alone, so that a backlog takes little memory. */
export interface KeptEvent {
  readonly instance: string;
  readonly seq: number;
  /** That its counters are charged in. */
  readonly epochs: readonly string[];
  place: Place;
}

export type Entry =
  | {
      readonly type: 'P';
      readonly instance: string;
      readonly epoch: string;
      readonly lastSeq: number;
      readonly damaged: boolean;
    }
  | { readonly type: 'L'; readonly instance: string; readonly grant: LeaseNote }
  | { readonly type: 'I'; readonly intent: Intent }
  | { readonly type: 'T'; readonly instance: string; readonly tightened: Tightened }
  | { readonly type: 'S'; readonly event: LedgerEvent }
  | { readonly type: 'C'; readonly instance: string; readonly epoch: string }
  | { readonly type: 'A'; readonly instance: string; readonly ranges: readonly SeqRange[] };

/** A grant as the spool keeps it. */
export interface LeaseNote extends CounterName {
  readonly leaseId: string;
  readonly epoch: string;
  readonly windowId: string;
  readonly amount: bigint;
}

/** From now on an attempt holds this much and no more; what it held beyond was free once this was written. */
export interface Tightened {
  readonly seq: number;
  /** Nano-USD. */
  readonly held: bigint;
  /** In the order of the intent's counters. */
  readonly counters: readonly bigint[];
}

/** First and last, both included. */
export type SeqRange = readonly [number, number];

export interface Journal {
  readonly lives: ReadonlyMap<string, Life>;
  life(instance: string): Life;
  apply(entry: Entry, place: Place): void;
  /** The event's bytes are now elsewhere. */
  move(event: KeptEvent, place: Place): void;
  /** Its bytes are gone. */
  lose(event: KeptEvent): void;
  /** Bytes that the settlements of all open intents take at most. */
  reserved(): number;
}

export const makeJournal = (): Journal => {
  const lives = new Map<string, Life>();
  let reserved = 0;

  const life = (instance: string): Life => {
    const known = lives.get(instance);
    if (known) return known;
    const made: Life = { instance, epochs: new Set(), open: new Map(), unacked: new Map(), lastSeq: 0, damaged: false };
    lives.set(instance, made);
    return made;
  };

  const open = (intent: Intent, place: Place): void => {
    const of = life(intent.instance);
    end(of, intent.seq);
    of.open.set(intent.seq, { intent, place });
    place.segment.wanted += place.length;
    reserved += settlementRoom(place);
    if (intent.seq > of.lastSeq) of.lastSeq = intent.seq;
  };

  const end = (of: Life, seq: number): void => {
    const known = of.open.get(seq);
    if (known === undefined) return;
    of.open.delete(seq);
    known.place.segment.wanted -= known.place.length;
    reserved -= settlementRoom(known.place);
  };

  const forget = (of: Life, seq: number): void => {
    const event = of.unacked.get(seq);
    if (event === undefined) return;
    of.unacked.delete(seq);
    event.place.segment.wanted -= event.place.length;
  };

  const apply = (entry: Entry, place: Place): void => {
    switch (entry.type) {
      case 'P': {
        const of = life(entry.instance);
        of.epochs.add(entry.epoch);
        of.damaged ||= entry.damaged;
        of.lastSeq = Math.max(of.lastSeq, entry.lastSeq);
        return;
      }
      case 'L':
        life(entry.instance).epochs.add(entry.grant.epoch);
        return;
      case 'I':
        open(entry.intent, place);
        return;
      case 'T': {
        const of = life(entry.instance);
        const known = of.open.get(entry.tightened.seq);
        if (known)
          of.open.set(entry.tightened.seq, { ...known, intent: tightenedIntent(known.intent, entry.tightened) });
        return;
      }
      case 'S': {
        const { instance, seq, counters } = entry.event;
        const of = life(instance);
        end(of, seq);
        forget(of, seq);
        of.unacked.set(seq, { instance: of.instance, seq, epochs: epochsOf(counters), place });
        place.segment.wanted += place.length;
        if (seq > of.lastSeq) of.lastSeq = seq;
        return;
      }
      case 'C':
        life(entry.instance).epochs.delete(entry.epoch);
        return;
      case 'A':
        forgetAcked(life(entry.instance), entry.ranges);
        return;
      default: {
        const never: never = entry;
        throw new TypeError(`no such entry: ${String(never)}`);
      }
    }
  };

  const forgetAcked = (of: Life, ranges: readonly SeqRange[]): void => {
    for (const [first, last] of ranges) {
      // A range may span far more numbers than are left, so the shorter side is walked.
      if (last - first < of.unacked.size) for (let seq = first; seq <= last; seq += 1) forget(of, seq);
      else for (const seq of of.unacked.keys()) if (seq >= first && seq <= last) forget(of, seq);
    }
  };

  return {
    lives,
    life,
    apply,
    move: (event, place) => {
      event.place.segment.wanted -= event.place.length;
      event.place = place;
      place.segment.wanted += place.length;
    },
    lose: (event) => {
      forget(life(event.instance), event.seq);
    },
    reserved: () => reserved,
  };
};

/** A settlement is its intent again, with usage, charges and times. */
export const settlementRoom = ({ length }: Place): number => length + (length >> 1) + 512;

const tightenedIntent = (intent: Intent, { held, counters }: Tightened): Intent => ({
  ...intent,
  head: { ...intent.head, held: least(held, intent.head.held) },
  counters: intent.counters.map((counter, index) => ({ ...counter, held: least(counters[index], counter.held) })),
});

const least = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a < b ? a : b);

const epochsOf = (counters: readonly CounterCharge[]): readonly string[] => {
  const epochs: string[] = [];
  for (const { epoch } of counters) if (!epochs.includes(epoch)) epochs.push(epoch);
  return epochs;
};

/** `[3, 1, 2, 7]` → `[[1, 3], [7, 7]]`. */
export const seqRanges = (seqs: readonly number[]): readonly SeqRange[] => {
  const ranges: [number, number][] = [];
  for (const seq of seqs.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && seq <= last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
};
