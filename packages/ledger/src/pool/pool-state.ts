import type { CounterName, CounterWindow } from '../counter.ts';

/**
 * Where a pool's balances live: what blocks brought, less what is leased. `makePool` holds the rules and knows no
 * adapter; a state holds amounts and knows no limit but what it is told. Adapters: `memory-pool-state.ts` (one process,
 * and the model of Redis in the simulator) and `@tollgate/ledger/redis` (several servers share one).
 *
 * Every operation is atomic over all it names, and harmless when it comes late or twice. It may be wiped, rolled back or
 * replaced at any moment: then every operation answers `epoch`, and nothing of what it still says is believed.
 * No operation but `giveBack` and `settled` names a counter twice.
 * A state that does not answer throws `LedgerUnavailable`; whether it did what was asked is then not known.
 */
export interface PoolState {
  /** The version of the function library that this adapter brings along; `''` in memory. */
  readonly library: string;
  /** The dialects (argument contracts) in which this adapter can call a library that another process loaded. */
  readonly dialects: readonly number[];

  /**
   * Begins an epoch with nothing in it. Its maker asks once; asked again it changes nothing. `newer`: an epoch of a higher
   * number was opened here, as when Postgres lost its last commits. `lost`: it had been opened, and what it held is gone.
   */
  open(epoch: PoolEpoch): Promise<OpenAnswer>;
  /** Is this the epoch that lives here, with all it held? */
  isOpen(epoch: PoolEpoch): Promise<boolean>;
  /**
   * The instance may lease. With `closes: null` only asks. A stranger's answer brings the count of closes so far; it is let
   * in where none came since, so that who closes and who lets in at the same time need no lock between them.
   */
  admit(epoch: PoolEpoch, instance: string, closes: number | null): Promise<AdmitAnswer>;
  /** Adds a block to a counter, once a block id. `ended`: its window is over, and what was here of it is forgotten. */
  load(epoch: PoolEpoch, block: LoadRequest): Promise<'loaded' | 'known' | 'ended' | 'epoch'>;
  /** All lines or none. By the state's own time, and once an (instance, seq). */
  lease(epoch: PoolEpoch, request: LeaseRequest): Promise<LeaseAnswer>;
  /** Once an (instance, seq). `exceeds`: more of that line than the instance has in hand; nothing has changed. */
  giveBack(epoch: PoolEpoch, request: ReturnRequest): Promise<ReturnAnswer>;
  /** Committed charges: what an instance had in hand is spent. At most once, so never sent again: it may be missed. */
  settled(epoch: PoolEpoch, charges: readonly StateCharge[]): Promise<void>;
  /** The instance has left: all it was given, less what came back and what it spent by the source's sums, is pooled again. */
  close(
    epoch: PoolEpoch,
    instance: string,
    spent: readonly { readonly key: CounterKey; readonly amount: bigint }[],
  ): Promise<'closed' | 'epoch'>;
  /**
   * Takes what is pooled of these counters out, to be refunded under `id`, and remembers it until `refunded` says that it
   * was: a server that dies in between loses nothing, whoever comes next refunds under the same id. A counter drained
   * with a `max` may be leased from under that limit again.
   */
  drain(epoch: PoolEpoch, id: string, counters: readonly DrainRequest[]): Promise<DrainAnswer>;
  refunded(epoch: PoolEpoch, id: string): Promise<void>;
  /** Drops counters whose window is over, with nothing pooled and nothing in any hand. */
  forget(epoch: PoolEpoch, keys: readonly CounterKey[]): Promise<void>;
  /** What is here, a page at a time; `next` of the last page is null. Nobody sees all pages at one moment. */
  page(epoch: PoolEpoch, cursor: number): Promise<PageAnswer>;
  /** This server is alive and sees so many proxies. Returns how many all live servers see together. */
  beat(server: string, proxies: number): Promise<number>;
  /** This server sees no proxies any more. */
  leave(server: string): Promise<void>;
  /** Removes what earlier epochs left behind, a bounded amount at a time; true: nothing is left of them. */
  sweep(epoch: PoolEpoch, earlier: readonly string[]): Promise<boolean>;
}

/** One life of a state's contents. Numbers rise; the id is random, and never used again. */
export interface PoolEpoch {
  readonly id: string;
  readonly number: number;
  /** The library that everyone calls for it; `''` in memory. */
  readonly library: string;
}

/** A counter in one window, as text that can be read back (`counter-key.ts`). */
export type CounterKey = string;

export type OpenAnswer =
  { readonly kind: 'opened' } | { readonly kind: 'newer'; readonly number: number } | { readonly kind: 'lost' };

export type AdmitAnswer =
  { readonly kind: 'admitted' } | { readonly kind: 'stranger'; readonly closes: number } | { readonly kind: 'epoch' };

export interface LoadRequest {
  readonly key: CounterKey;
  readonly blockId: string;
  readonly amount: bigint;
  /** Milliseconds UTC; null: never. */
  readonly windowEnd: number | null;
  /** The limit under which the block was taken. */
  readonly max: bigint;
  /** The limit less all blocks out, after this one: for display. */
  readonly free: bigint;
}

export interface LeaseRequest {
  readonly instance: string;
  readonly seq: number;
  /** What was asked, as text: the same sequence number may not stand for another question. */
  readonly asked: string;
  readonly lines: readonly LeaseLine[];
  readonly liveProxies: number;
}

export interface LeaseLine {
  readonly key: CounterKey;
  readonly window: CounterWindow;
  /** The limit in force: under a lower one than the counter was filled under, it is drained before it lends. */
  readonly max: bigint;
  readonly need: bigint;
  readonly prefer: bigint;
}

/** `now` is the state's own time, milliseconds UTC. Lists of lines are in the order asked. */
export type LeaseAnswer =
  | {
      readonly kind: 'granted';
      readonly now: number;
      readonly grants: readonly StateGrant[];
      /** After the grant; null: a grant given before, told again. */
      readonly balances: readonly LineBalance[] | null;
    }
  | { readonly kind: 'short'; readonly now: number; readonly pooled: readonly bigint[] }
  /** A line's window is not now. */
  | { readonly kind: 'window'; readonly now: number }
  /** These lines were filled under a higher limit, or more is out of them than theirs allows: drain them. */
  | { readonly kind: 'lowered'; readonly lines: readonly number[] }
  | { readonly kind: 'stranger'; readonly closes: number }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'seq_reused' }
  | { readonly kind: 'seq_too_old' };

export interface StateGrant {
  /** Of the grant, which may be an earlier one than was asked for now. */
  readonly window: CounterWindow;
  readonly amount: bigint;
  readonly left: bigint;
}

export interface LineBalance {
  readonly pooled: bigint;
  /** The last block that came: below half of it the next one is fetched ahead of need. */
  readonly block: bigint;
}

export interface ReturnRequest {
  readonly instance: string;
  readonly seq: number;
  readonly asked: string;
  readonly returns: readonly { readonly key: CounterKey; readonly amount: bigint }[];
}

export type ReturnAnswer =
  | { readonly kind: 'returned' }
  | { readonly kind: 'exceeds'; readonly line: number }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'seq_reused' }
  | { readonly kind: 'seq_too_old' };

export interface StateCharge {
  readonly instance: string;
  readonly key: CounterKey;
  readonly charged: bigint;
}

export interface DrainRequest {
  readonly key: CounterKey;
  /** The limit in force from now on; null: nobody leases of it any more. */
  readonly max: bigint | null;
}

export interface Drained {
  readonly id: string;
  readonly returns: readonly (CounterName & { readonly windowId: string; readonly amount: bigint })[];
}

export type DrainAnswer = { readonly kind: 'drained'; readonly drained: Drained } | { readonly kind: 'epoch' };

export type PageAnswer =
  | {
      readonly kind: 'page';
      readonly now: number;
      readonly counters: readonly StateBalance[];
      /** Drained and not known to be refunded; told on the first page. */
      readonly drains: readonly Drained[];
      readonly next: number | null;
    }
  | { readonly kind: 'epoch' };

export interface StateBalance {
  readonly key: CounterKey;
  readonly windowEnd: number | null;
  readonly pooled: bigint;
  readonly leased: bigint;
}

/** Replies kept an instance: a sequence number this far behind its highest is refused. */
export const REMEMBERED_SEQS = 512;
/** How long after its window a counter is kept, for what still comes back. */
export const KEPT_AFTER_MS = 3_600_000;
/** A server that was silent for this long sees no proxies. */
export const SERVER_ALIVE_MS = 15_000;
