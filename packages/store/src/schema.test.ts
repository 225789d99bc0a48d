import { describe, expect, it } from '@jest/globals';
import type { Connection, Transaction } from './connection.ts';
import { checkCurrent, meet, NO_WAIT } from './schema.ts';

/** A database that answers every query with these rows, one after the other. */
const answering = (...answers: readonly (readonly object[])[]): Transaction => {
  const left = [...answers];
  return { query: <Row extends object>() => Promise.resolve((left.shift() ?? []) as readonly Row[]) };
};
const connectionTo = (tx: Transaction): Connection => ({
  transact: (work) => work(tx),
  losses: () => 0,
  close: () => Promise.resolve(),
});

describe('the schema', () => {
  it('is not looked for in a database that is too old', async () => {
    await meet(connectionTo(answering([{ version: 150_004 }])), NO_WAIT);
    await expect(meet(connectionTo(answering([{ version: 140_011 }])), NO_WAIT)).rejects.toMatchObject({
      code: 'store_refused',
      message: 'the database is PostgreSQL 14',
      todo: 'use PostgreSQL 15 or newer',
    });
  });

  it('that lacks migrations is refused by a server that must not migrate, with the command to run', async () => {
    await expect(checkCurrent(answering([{ there: false }]))).rejects.toThrow(
      /lacks \d+ migrations, 0001-ledger first: run "tollgate migrate up"/,
    );
  });
});
