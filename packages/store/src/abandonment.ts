import type { Transaction } from './connection.ts';
import { abandonInstance } from './epochs.ts';

/** Who declares an instance lost, and why: what it took stays charged as unresolved, and is listed with these words. */
export interface Abandonment {
  readonly instance: string;
  readonly by: string;
  readonly reason: string;
}

/**
 * The instance is gone and its spool with it: its epochs, which are returned, wait for it no longer. Null: it never said hello.
 * One that comes back after all says hello again and is waited for anew; its spool is taken in as any other.
 */
export const abandon = async (
  tx: Transaction,
  { instance, by, reason }: Abandonment,
  now: number,
): Promise<readonly string[] | null> => {
  const known = await tx.query(
    `UPDATE instance SET abandoned_at = to_timestamp($2::double precision / 1000), abandoned_by = $3, abandoned_reason = $4
     WHERE id = $1 RETURNING id`,
    [instance, now, by, reason],
  );
  if (known.length === 0) return null;
  return abandonInstance(tx, instance, now);
};
