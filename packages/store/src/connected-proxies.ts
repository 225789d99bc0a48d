import type { Subject } from '@tollgate/api';
import type { DirectConnections, FollowedPolicy } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import { storableJson } from './storable.ts';

/** Which proxies are on the snapshot stream of some server, and what they run. A view of the present: it decides nothing. */
export interface ConnectedProxy {
  readonly instance: string;
  readonly subject: Subject;
  /** The version that it said it runs; null: it has not said. */
  readonly snapshot: string | null;
  /** Connections past it that it said it found in its pod; null: it has not said. */
  readonly direct: readonly DirectConnections[] | null;
  /** The policies of its callers that it said it runs; null: it is no gateway, or has not said. */
  readonly callers: readonly FollowedPolicy[] | null;
}

export interface ConnectedNews {
  /** On this server's streams; new, or of another subject than before. */
  readonly connected: readonly Pick<ConnectedProxy, 'instance' | 'subject'>[];
  /** Instances that are not on this server's streams any more. */
  readonly gone: readonly string[];
  /** What instances said they run and found, wherever their stream is. */
  readonly running: readonly (ProxyRunning & { readonly instance: string })[];
}

export interface ProxyRunning extends Pick<ConnectedProxy, 'direct'> {
  readonly snapshot: string;
  /** Absent: it says nothing of them, and what it said before stands. */
  readonly callers?: readonly FollowedPolicy[];
}

/** Seconds after which a silent server counts as gone. By the database's clock, which is one for all of them. */
const ALIVE_S = 20;
/** What is on no stream comes back within minutes, or never. */
const FORGET_S = 3_600;

/**
 * Also says that the server is there; to be said again well within 20 s, news or none. Returns whether the server was known:
 * one that was not is on no row, whatever it said before.
 */
export const noteConnected = async (
  tx: Transaction,
  server: string,
  { connected, gone, running }: ConnectedNews,
): Promise<boolean> => {
  const seen = await tx.query('UPDATE server_process SET seen_at = now() WHERE id = $1 RETURNING id', [server]);
  if (seen.length === 0) await tx.query('INSERT INTO server_process (id, seen_at) VALUES ($1, now())', [server]);
  // In one order each, so that servers between which proxies move do not wait for each other in a ring.
  if (gone.length > 0) await tx.query(LEAVE, [server, gone]);
  if (connected.length > 0) await tx.query(CONNECT, [server, storableJson(connected)]);
  if (running.length > 0) await tx.query(RUN, [storableJson(running)]);
  return seen.length > 0;
};

const LEAVE = `UPDATE connected_proxy SET server = NULL, said_at = now() WHERE instance IN (
    SELECT instance FROM connected_proxy WHERE server = $1 AND instance = ANY($2::text[]) ORDER BY instance FOR UPDATE)`;

const CONNECT = `INSERT INTO connected_proxy (instance, server, subject)
  SELECT instance, $1, subject FROM json_to_recordset($2::json) AS r(instance text, subject jsonb) ORDER BY instance
  ON CONFLICT (instance) DO UPDATE SET server = excluded.server, subject = excluded.subject, said_at = excluded.said_at`;

const RUN = `INSERT INTO connected_proxy (instance, snapshot, direct, callers)
  SELECT instance, snapshot, direct, callers
  FROM json_to_recordset($1::json) AS r(instance text, snapshot text, direct jsonb, callers jsonb) ORDER BY instance
  ON CONFLICT (instance) DO UPDATE SET snapshot = excluded.snapshot, direct = excluded.direct,
    callers = coalesce(excluded.callers, connected_proxy.callers), said_at = excluded.said_at`;

/** Servers that are silent, and proxies that are on no stream for long, go. */
export const sweepConnected = async (tx: Transaction): Promise<void> => {
  await tx.query('DELETE FROM server_process WHERE seen_at < now() - make_interval(secs => $1)', [ALIVE_S]);
  await tx.query(`DELETE FROM connected_proxy WHERE server IS NULL AND said_at < now() - make_interval(secs => $1)`, [
    FORGET_S,
  ]);
};

/** A server that stops: its proxies are on no stream until another has them. */
export const forgetServer = async (tx: Transaction, server: string): Promise<void> => {
  await tx.query('DELETE FROM server_process WHERE id = $1', [server]);
};

/** On the streams of all servers that are there. */
export const connectedProxies = (tx: Transaction): Promise<readonly ConnectedProxy[]> =>
  tx.query<ConnectedProxy>(
    `SELECT p.instance, p.subject, p.snapshot, p.direct, p.callers FROM connected_proxy p JOIN server_process s ON s.id = p.server
     WHERE s.seen_at >= now() - make_interval(secs => $1) AND p.subject IS NOT NULL ORDER BY p.instance`,
    [ALIVE_S],
  );
