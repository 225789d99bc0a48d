/** The fault matrix: each row that wants real processes, and what is done to them for it. */
import { CLOCK_FAULTS } from './faults/clock-faults.ts';
import { CALLER_FAULTS } from './faults/caller-faults.ts';
import { LEDGER_API_FAULTS } from './faults/ledger-api-faults.ts';
import { PROVIDER_FAULTS } from './faults/provider-faults.ts';
import { SPOOL_FAULTS } from './faults/spool-faults.ts';
import { WINDOW_FAULTS } from './faults/window-faults.ts';
import { NETWORK_FAULTS } from './faults/network-faults.ts';
import { POSTGRES_FAULTS } from './faults/postgres-faults.ts';
import { PROXY_FAULTS } from './faults/proxy-faults.ts';
import { REDIS_FAULTS } from './faults/redis-faults.ts';
import type { Fault } from './faults/scene.ts';
import { SERVER_FAULTS } from './faults/server-faults.ts';

export const ROWS: ReadonlyMap<number, string> = new Map([
  [1, 'kill -9 of a proxy in the middle of a stream'],
  [2, 'kill -9 of a proxy at each point of its spool'],
  [4, "the spool's disk is full, or cannot be written"],
  [6, 'Redis killed, back empty'],
  [7, 'Redis back from a stale snapshot'],
  [8, 'a replica promoted with lag; A, B, A'],
  [9, 'FLUSHALL, eviction, a pool key written by hand'],
  [10, 'Redis paused, slow, black-holed'],
  [12, 'two Redis, one server at each'],
  [13, 'a server dies between a block and its pool'],
  [14, 'PostgreSQL stopped at once, during ingest'],
  [15, 'PostgreSQL failover that loses a suffix'],
  [16, 'PostgreSQL full, locked, out of connections'],
  [17, 'partitions between any two, also one-way'],
  [18, 'clocks that jump'],
  [19, 'a process paused, then going on'],
  [20, 'a window ends at full load'],
  [22, 'a provider that hangs, resets, lies, is busy'],
  [23, 'callers that read slowly, half-close, hang up'],
  [24, 'batches that come twice, out of order, changed'],
  [25, 'all proxies join, or leave, at once'],
  [27, 'a token revoked; no server at all'],
  [28, 'a rolling upgrade'],
  [29, 'a proxy out of memory, of files, of time'],
  [31, 'a restart in the middle of a roll-up'],
  [32, 'database connections that fail inside a transaction'],
  [33, 'answers of the server that are no JSON'],
  [34, 'a drain that waits for the acknowledgement'],
]);

export const FAULTS: readonly Fault[] = [
  ...PROXY_FAULTS,
  ...SERVER_FAULTS,
  ...POSTGRES_FAULTS,
  ...REDIS_FAULTS,
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
  ...WINDOW_FAULTS,
  ...SPOOL_FAULTS,
  ...PROVIDER_FAULTS,
  ...LEDGER_API_FAULTS,
  ...CALLER_FAULTS,
];
