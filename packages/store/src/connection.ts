import { AsyncLocalStorage } from 'node:async_hooks';
import { hash, randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { asksForAnotherTry, toStoreError } from './database-fault.ts';
import { StoreRefused } from './store-refused.ts';
import { StoreUnavailable } from './store-unavailable.ts';

/**
 * The one place that opens connections and transactions. Every query function takes the `Transaction` it runs in and
 * can reach no pool, so no code takes a second client while it holds one: PGlite has but one, and would wait for ever.
 */
export interface Transaction {
  query<Row extends object>(text: string | Prepared, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A statement that every batch runs: parsed and planned once a connection, which is a sixth of what a batch costs. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** The name is made of the text, so that two versions behind one pooler do not take each other's. Columns by name, no `*`. */
export const prepared = (text: string): Prepared => ({ name: `tg_${hash('sha256', text, 'hex').slice(0, 24)}`, text });

export interface Connection {
  /**
   * Commits what `work` did, or nothing. Runs it again after a deadlock or a serialization failure. Throws
   * `StoreUnavailable` where the database cannot serve for now, `StoreRefused` where a setting is wrong.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>, mode?: TransactionMode): Promise<T>;
  /** Connections lost so far: whoever remembers what is in the database has to ask again after one. */
  losses(): number;
  close(): Promise<void>;
}

/** `snapshot`: one view of everything read, and nothing written. `migration`: statements take as long as they take. */
export type TransactionMode = 'write' | 'snapshot' | 'migration';

export interface ConnectionOptions {
  readonly connectionString: string;
  /** 1 against PGlite. */
  readonly max: number;
  /** A connection that nobody was using broke. */
  readonly onIdleError?: (error: Error) => void;
  /** 0 ≤ n < 1; spreads repeated tries. */
  readonly random?: () => number;
}

const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: 'BEGIN',
  // One view of everything read, so that sums over several tables belong together.
  snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  migration: 'BEGIN',
};

const TRIES = 6;
/** Doubled at each try, and spread: those that met once would meet again. */
const TRY_AGAIN_MS = 10;
const STATEMENT_MS = 15_000;
const LOCK_MS = 5_000;
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Above the server's own limit, for a server that does not answer at all. */
const ANSWER_MS = 20_000;
/** A migration may rewrite a large table. */
const MIGRATION_ANSWER_MS = 6 * 3_600_000;
const CONNECT_MS = 5_000;
const CONNECT_DELAYS_MS = [20, 50, 100, 200, 400];

export const makeConnection = ({
  connectionString,
  max,
  onIdleError,
  random = chance,
}: ConnectionOptions): Connection => {
  const pool = openPool({
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
  let losses = 0;
  let closed: Promise<void> | undefined;
  pool.on('error', (error) => onIdleError?.(error));
  pool.on('connect', (client) =>
    client.on('error', () => {
      losses += 1;
    }),
  );

  const once = async <T>(work: (tx: Transaction) => Promise<T>, mode: TransactionMode): Promise<T> => {
    const client = await connect(pool);
    try {
      await client.query(`${BEGIN[mode]}; ${LIMITS[mode]}`);
      const result = await work(transactionOn(client, mode, max > 1));
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
            if (attempt === TRIES || !asksForAnotherTry(error)) {
              const known = toStoreError(error);
              if (known instanceof StoreUnavailable) losses += 1;
              throw known;
            }
            await setTimeout(random() * TRY_AGAIN_MS * 2 ** attempt);
          }
        }
      });
    },
    losses: () => losses,
    close: () => (closed ??= pool.end()),
  };
};

export const chance = (): number => randomInt(2 ** 32) / 2 ** 32;

/** pg leaves bigints as text, so as not to round them. */
const parserOf: pg.CustomTypesConfig['getTypeParser'] = (oid, format) => {
  const known: unknown = pg.types.getTypeParser(oid, format);
  return oid === pg.types.builtins.INT8 ? BigInt : known;
};

/** A connection string that cannot be read is a wrong setting too. */
const openPool = (config: pg.PoolConfig & { readonly connectionString: string }): pg.Pool => {
  // The driver would take anything else for a path on some host, and look for that host.
  if (!/^postgres(ql)?:\/\/|^\//.test(config.connectionString)) throw toStoreError(new TypeError('Invalid URL'));
  try {
    return new pg.Pool(config);
  } catch (error) {
    throw toStoreError(error);
  }
};

const limits = (statementMs: number): string =>
  `SET LOCAL statement_timeout = ${String(statementMs)}; SET LOCAL lock_timeout = ${String(LOCK_MS)}; SET LOCAL idle_in_transaction_session_timeout = ${String(IDLE_IN_TRANSACTION_MS)}`;

/** Set in each transaction rather than at connect, so that poolers between us and the server do not lose them. */
const LIMITS: Readonly<Record<TransactionMode, string>> = {
  write: limits(STATEMENT_MS),
  snapshot: limits(STATEMENT_MS),
  // 0: no limit.
  migration: limits(0),
};

/**
 * PGlite turns a second connection away until it has noticed that the first is gone, and a server that restarts needs a
 * moment too: a few tries before it counts as unreachable. One that refuses us will do so again.
 */
const connect = async (pool: pg.Pool): Promise<pg.PoolClient> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await pool.connect();
    } catch (cause) {
      const delay = CONNECT_DELAYS_MS[attempt];
      const error = toStoreError(cause);
      if (delay === undefined || error instanceof StoreRefused) throw error;
      await setTimeout(delay);
    }
  }
};

/** PGlite's one session outlives its connections, and would know the names already: nothing is prepared there. */
const transactionOn = (client: pg.PoolClient, mode: TransactionMode, mayPrepare: boolean): Transaction => ({
  query: async <Row extends object>(statement: string | Prepared, values: readonly unknown[] = []) => {
    const { rows } = await client.query<Row>({
      ...(typeof statement === 'string' ? { text: statement } : mayPrepare ? statement : { text: statement.text }),
      values: [...values],
      ...(mode === 'migration' ? { query_timeout: MIGRATION_ANSWER_MS } : {}),
    });
    return rows;
  },
});
