/** What the ledger says, read by plain SQL and not by Tollgate's own code. Amounts come as texts: they are exact so. */
import { asked } from './ledger-sql.ts';
import type { Rig } from '../rig/rig.ts';

export interface LedgerRow {
  readonly instance: string;
  readonly seq: number;
  readonly requestId: string;
  readonly attempt: number;
  /** The label of the call. */
  readonly user: string | null;
  readonly settle: string;
  readonly held: bigint;
  readonly charged: bigint;
}

export const readLedgerRows = async ({ postgres, database }: Rig): Promise<readonly LedgerRow[]> => {
  const rows = await postgres.query<{
    readonly instance: string;
    readonly seq: number;
    readonly request_id: string;
    readonly attempt: number;
    readonly user_id: string | null;
    readonly settle: string;
    readonly held: string;
    readonly charged: string;
  }>(
    database,
    asked(
      'SELECT instance, seq, request_id, attempt, user_id, settle, held::text, charged::text FROM row ORDER BY instance, seq',
    ),
  );
  return rows.map(({ request_id, user_id, held, charged, ...row }) => ({
    ...row,
    requestId: request_id,
    user: user_id,
    held: BigInt(held),
    charged: BigInt(charged),
  }));
};
