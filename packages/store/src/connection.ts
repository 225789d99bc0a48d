import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { StoreUnavailable } from './store-unavailable.ts';

/**
 * The one place that opens connections and transactions. Every query function takes the `Transaction` it runs in and
 * can reach no pool, so no code takes a second client while it holds one: PGlite has but one, and would wait for ever.
 */
export interface Transaction {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface Connection {
  /** Commits what `work` did, or nothing. Runs it again after a deadlock or a serialization failure. */
  transact<T>(work: (tx: Transaction) => Promise<T>, mode?: TransactionMode): Promise<T>;
  close(): Promise<void>;
}

export type TransactionMode = 'write' | 'snapshot';

export interface ConnectionOptions {
  readonly connectionString: string;
  /** 1 against PGlite. */
  readonly max: number;
  /** A connection that nobody was using broke. */
  readonly onIdleError?: (error: Error) => void;
}

const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: 'BEGIN',
  // One view of everything read, so that sums over several tables belong together.
  snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
};

/** serialization_failure, deadlock_detected: another try from the start is all they ask for. */
const TRY_AGAIN: ReadonlySet<string> = new Set(['40001', '40P01']);
const TRIES = 4;
const STATEMENT_MS = 15_000;
const LOCK_MS = 5_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Above the server's own limit, for a server that does not answer at all. */
const ANSWER_MS = 20_000;
const CONNECT_MS = 5_000;
const CONNECT_DELAYS_MS = [20, 50, 100, 200, 400];

export const makeConnection = ({ connectionString, max, onIdleError }: ConnectionOptions): Connection => {
  const pool = new pg.Pool({
    connectionString,
    max,
    application_name: 'tollgate',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    idleTimeoutMillis: 0,
    types: { getTypeParser: parserOf },
  });
  const running = new AsyncLocalStorage<true>();
  // Without listeners a connection that breaks while idle, or while checked out, ends the process.
  pool.on('error', (error) => onIdleError?.(error));
  pool.on('connect', (client) => client.on('error', () => undefined));

  const once = async <T>(work: (tx: Transaction) => Promise<T>, mode: TransactionMode): Promise<T> => {
    const client = await connect(pool);
    try {
      await client.query(`${BEGIN[mode]}; ${LIMITS}`);
      const result = await work(transactionOn(client));
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      // Never back into the pool: it may still have the transaction open.
      client.release(true);
      throw error;
    }
  };

  return {
    transact: async (work, mode = 'write') => {
      if (running.getStore()) throw new Error('a transaction inside a transaction: pass the outer one down instead');
      return running.run(true, async () => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await once(work, mode);
          } catch (error) {
            if (attempt < TRIES && TRY_AGAIN.has(sqlState(error) ?? '')) continue;
            throw toUnavailable(error);
          }
        }
      });
    },
    close: () => pool.end(),
  };
};

/** pg leaves bigints as text, so as not to round them. */
const parserOf: pg.CustomTypesConfig['getTypeParser'] = (oid, format) => {
  const known: unknown = pg.types.getTypeParser(oid, format);
  return oid === pg.types.builtins.INT8 ? BigInt : known;
};

/** Set in each transaction rather than at connect, so that poolers between us and the server do not lose them. */
const LIMITS = `SET LOCAL statement_timeout = ${String(STATEMENT_MS)}; SET LOCAL lock_timeout = ${String(LOCK_MS)}; SET LOCAL idle_in_transaction_session_timeout = ${String(IDLE_IN_TRANSACTION_MS)}`;

/**
 * PGlite turns a second connection away until it has noticed that the first is gone, and a server that restarts needs a
 * moment too: a few tries before it counts as unreachable.
 */
const connect = async (pool: pg.Pool): Promise<pg.PoolClient> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await pool.connect();
    } catch (cause) {
      const delay = CONNECT_DELAYS_MS[attempt];
      if (delay === undefined) throw new StoreUnavailable('the database cannot be reached', { cause });
      await setTimeout(delay);
    }
  }
};

const transactionOn = (client: pg.PoolClient): Transaction => ({
  query: async <Row extends object>(text: string, values: readonly unknown[] = []) => {
    const { rows } = await client.query<Row>(text, [...values]);
    return rows;
  },
});

/**
 * A database that is gone, out of room, or too slow is a state to wait out, and not a fault of ours. By SQLSTATE class:
 * 08 connection, 53 resources, 57 operator intervention and cancelled statements, 58 system, 55P03 lock not available;
 * by the client's own codes where the server said nothing.
 */
const toUnavailable = (error: unknown): unknown => {
  const state = sqlState(error);
  const gone = state === undefined ? isConnectionLoss(error) : /^(08|53|57|58)|^(55P03|25P03|40001|40P01)$/.test(state);
  return gone ? new StoreUnavailable('the database did not answer', { cause: error }) : error;
};

const sqlState = (error: unknown): string | undefined => (error instanceof pg.DatabaseError ? error.code : undefined);

const isConnectionLoss = (error: unknown): boolean =>
  error instanceof Error &&
  (/^Connection terminated|^Query read timeout|^Client has encountered a connection error/.test(error.message) ||
    ('code' in error && typeof error.code === 'string' && /^E(CONN|PIPE|TIMEDOUT|HOST)/.test(error.code)));
