/**
 * What the spool's records add up to, by instance: replay and live writing apply the same records through the same
 * function, so that a restart sees what the running process saw.
 */
import type { CounterCharge, LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { CounterName } from '../counter.ts';

/** One process life. */
export interface Life {
  readonly instance: string;
  /** Epochs it may hold money of, until it has closed them; `ANY_EPOCH` for those that it may not have heard of. */
  readonly epochs: Set<string>;
  readonly open: Map<number, Intent>;
  readonly unacked: Map<number, KeptEvent>;
  lastSeq: number;
  /** Some of its records could not be read. */
  damaged: boolean;
}

/** An event that the ledger has not acknowledged. Its bytes are in the spool's file alone, so that a backlog takes little memory. */
export interface KeptEvent {
  readonly instance: string;
  readonly seq: number;
  /** That its counters are charged in. */
  readonly epochs: readonly string[];
  /** Where its bytes are in the file, and how many. */
  at: number;
  readonly length: number;
}

/** Where in the file the bytes of an entry's JSON are. */
export interface Place {
  readonly at: number;
  readonly length: number;
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

/** First and last, both included. */
export type SeqRange = readonly [number, number];

export interface Journal {
  readonly lives: ReadonlyMap<string, Life>;
  life(instance: string): Life;
  apply(entry: Entry, place: Place): void;
}

export const makeJournal = (): Journal => {
  const lives = new Map<string, Life>();

  const life = (instance: string): Life => {
    const known = lives.get(instance);
    if (known) return known;
    const made: Life = { instance, epochs: new Set(), open: new Map(), unacked: new Map(), lastSeq: 0, damaged: false };
    lives.set(instance, made);
    return made;
  };

  const apply = (entry: Entry, { at, length }: Place): void => {
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
      case 'I': {
        const of = life(entry.intent.instance);
        of.open.set(entry.intent.seq, entry.intent);
        if (entry.intent.seq > of.lastSeq) of.lastSeq = entry.intent.seq;
        return;
      }
      case 'S': {
        const { instance, seq, counters } = entry.event;
        const of = life(instance);
        of.open.delete(seq);
        of.unacked.set(seq, { instance: of.instance, seq, epochs: epochsOf(counters), at, length });
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

  return { lives, life, apply };
};

const epochsOf = (counters: readonly CounterCharge[]): readonly string[] => {
  const epochs: string[] = [];
  for (const { epoch } of counters) if (!epochs.includes(epoch)) epochs.push(epoch);
  return epochs;
};

const forgetAcked = (life: Life, ranges: readonly SeqRange[]): void => {
  for (const [first, last] of ranges) {
    // A range may span far more numbers than are left, so the shorter side is walked.
    if (last - first < life.unacked.size) for (let seq = first; seq <= last; seq += 1) life.unacked.delete(seq);
    else for (const seq of life.unacked.keys()) if (seq >= first && seq <= last) life.unacked.delete(seq);
  }
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
