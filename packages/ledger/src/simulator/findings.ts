/** What goes wrong in a run: the first finding ends it, wherever it was made. And what happened, as one number. */
export class OracleViolation extends Error {
  readonly code = 'oracle_violation';
  readonly invariant: Invariant;
  /** What had happened by then: the same schedule comes to the same. */
  readonly digest: string;

  constructor(invariant: Invariant, message: string, digest = '', options?: ErrorOptions) {
    super(message, options);
    this.name = 'OracleViolation';
    this.invariant = invariant;
    this.digest = digest;
  }
}

export interface Findings {
  /** `invariant` names what must hold; `claim` says where it does not. */
  must(holds: boolean, invariant: Invariant, claim: () => string): void;
  /** A fault of the simulation, or of what it runs. */
  fault(fault: unknown): void;
  /** Throws the first finding. */
  throwFirst(): void;
}

/** The invariants, by the names that findings carry. */
export type Invariant =
  /** What was really spent in a window is within its limit. */
  | 'bound'
  /** What is in hands is within what the blocks brought, and blocks are within their limit. */
  | 'chain'
  /** Every billed attempt has exactly one event that charges at least what was billed, to the window of its hold. */
  | 'events'
  /** allocated = settled + refunded + unresolved, and events sum to what is settled. */
  | 'conservation'
  /** Everybody can go home once all is healed. */
  | 'progress'
  /** Nothing throws but what says that something is away, full or over. */
  | 'fault';

export const makeFindings = (): Findings => {
  let first: unknown;
  let hasOne = false;
  const find = (finding: unknown): void => {
    if (hasOne) return;
    hasOne = true;
    first = finding;
  };
  return {
    must: (holds, invariant, claim) => {
      if (!holds && !hasOne) find(new OracleViolation(invariant, `${invariant}: ${claim()}`));
    },
    fault: find,
    throwFirst: () => {
      if (hasOne) throw first;
    },
  };
};

/** FNV-1a over what happened, in order: two runs with the same one went the same way. */
export interface Digest {
  note(what: string): void;
  value(): string;
}

export const makeDigest = (): Digest => {
  let hash = 0x811c9dc5;
  let notes = 0;
  return {
    note: (what) => {
      notes += 1;
      for (let at = 0; at < what.length; at += 1) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193);
    },
    value: () => `${(hash >>> 0).toString(16).padStart(8, '0')}-${notes.toString(16)}`,
  };
};
