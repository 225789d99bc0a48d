import type { Subject } from '@tollgate/api';
import type { Transaction } from './connection.ts';

/** An instance that has not left all of its epochs: whoever waits for a refund waits for these. */
export interface InstanceRow {
  readonly instance: string;
  /** Its own; null where it never said hello. */
  readonly version: string | null;
  readonly subject: Subject | null;
  /** Milliseconds UTC of its last hello. */
  readonly helloAt: number;
  /** All its events up to this one are stored. */
  readonly ackedSeq: number;
  /** Epochs that it may still have money of. */
  readonly epochs: readonly string[];
}

const MAX_LISTED = 10_000;

export const listInstances = async (tx: Transaction): Promise<readonly InstanceRow[]> => {
  const rows = await tx.query<{
    instance: string;
    version: string | null;
    subject: Subject | null;
    helloAt: bigint;
    ackedSeq: bigint;
    epochs: readonly string[];
  }>(
    `SELECT i.id AS instance, i.version, i.subject, (extract(epoch FROM i.hello_at) * 1000)::bigint AS "helloAt",
            i.acked_seq AS "ackedSeq", array_agg(m.epoch ORDER BY m.epoch) AS epochs
     FROM instance i JOIN epoch_instance m ON m.instance = i.id AND m.closed_at IS NULL
     GROUP BY i.id ORDER BY i.hello_at DESC, i.id LIMIT $1`,
    [MAX_LISTED],
  );
  return rows.map((row) => ({ ...row, helloAt: Number(row.helloAt), ackedSeq: Number(row.ackedSeq) }));
};
