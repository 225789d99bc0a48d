/** What a run is made of. */
import type { Escrow } from '../escrow/escrow.ts';
import type { Hold, Settlement } from '../escrow/hold.ts';
import type { Spool } from '../spool/spool.ts';
import { CALM, type Weather } from './network.ts';

export interface Profile {
  readonly proxies: number;
  /** Virtual milliseconds of calls. */
  readonly lastsMs: number;
  /** Mean time between calls of one proxy. */
  readonly everyMs: number;
  readonly weather: Weather;
  /** Chance that a life of a proxy is to end at one of its first records. */
  readonly crash: number;
  /** Mean time between ends of the server, in order or not; 0 = it stays. */
  readonly serverEndsMs: number;
  /** Share of attempts that cost more than they held. */
  readonly unsound: number;
  readonly broken: Breakage;
  /** The server counts a batch again that comes again. */
  readonly isForgetful: boolean;
}

/** A way to break production code, to see that the oracle notices. */
export interface Breakage {
  spool(spool: Spool): Spool;
  settlement(settlement: Settlement): Settlement;
  afterSettle(escrow: Escrow, hold: Hold, settlement: Settlement): void;
}

export const UNBROKEN: Breakage = {
  spool: (spool) => spool,
  settlement: (settlement) => settlement,
  afterSettle: () => undefined,
};

export const QUIET: Profile = {
  proxies: 2,
  lastsMs: 6_500,
  everyMs: 160,
  weather: CALM,
  crash: 0,
  serverEndsMs: 0,
  unsound: 0,
  broken: UNBROKEN,
  isForgetful: false,
};

const STORM: Weather = { loseQuestion: 0.08, loseReply: 0.08, twice: 0.1, slowestMs: 120 };

export const PROFILES: Readonly<Record<'quiet' | 'crashes' | 'storm' | 'unsound', Profile>> = {
  quiet: QUIET,
  crashes: { ...QUIET, crash: 0.9 },
  storm: { ...QUIET, crash: 0.7, weather: STORM, serverEndsMs: 5_000 },
  unsound: { ...QUIET, crash: 0.5, weather: STORM, unsound: 0.05 },
};
