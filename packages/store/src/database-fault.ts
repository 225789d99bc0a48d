import pg from 'pg';
import { StoreRefused } from './store-refused.ts';
import { StoreUnavailable, type UnavailableReason } from './store-unavailable.ts';

/**
 * What an error of the driver means, in one table: a state to wait out (`StoreUnavailable`), a setting to change
 * (`StoreRefused`), or a fault of ours, which is left as it is.
 */
export const toStoreError = (error: unknown): unknown => {
  if (error instanceof StoreUnavailable || error instanceof StoreRefused) return error;
  const state = sqlState(error);
  if (state === undefined) return fromClient(error);
  const refusal = REFUSED[state] ?? REFUSED[state.slice(0, 2)];
  if (refusal) return new StoreRefused(`${refusal.what}: ${messageOf(error)}`, { todo: refusal.todo, cause: error });
  const known = UNAVAILABLE[state] ?? UNAVAILABLE[state.slice(0, 2)];
  if (known) return new StoreUnavailable(`${known[1]} (${state})`, { reason: known[0], cause: error });
  return error;
};

/** serialization_failure, deadlock_detected: another try from the start is all they ask for. */
export const asksForAnotherTry = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '');

const sqlState = (error: unknown): string | undefined => (error instanceof pg.DatabaseError ? error.code : undefined);

/** By SQLSTATE, else by its class. https://www.postgresql.org/docs/15/errcodes-appendix.html */
const UNAVAILABLE: Readonly<Record<string, readonly [reason: UnavailableReason, message: string]>> = {
  '08': ['unreachable', 'the connection to the database broke'],
  '53': ['out-of-memory', 'the database has run out of a resource'],
  '53100': ['disk-full', 'the disk of the database is full'],
  '53200': ['out-of-memory', 'the database is out of memory'],
  '53300': ['too-many-connections', 'the database takes no more connections'],
  '57': ['stopped', 'the database was stopped by its operator'],
  '57014': ['slow', 'the database took too long over a statement'],
  '57P01': ['stopped', 'the database is shutting down'],
  '57P02': ['stopped', 'the database has crashed and is recovering'],
  '57P03': ['starting', 'the database is starting up or shutting down'],
  '58': ['stopped', 'the database met an error of its system'],
  '25006': ['read-only', 'the database is read-only: a standby, or one that was set so'],
  '25P03': ['slow', 'a transaction was left idle for too long'],
  '40001': ['contention', 'the transaction lost against others several times over'],
  '40P01': ['contention', 'the transaction deadlocked with others several times over'],
  '3F000': ['replaced', 'the database has not the schema that was found in it at the start'],
  '42883': ['replaced', 'the database has not the functions that were found in it at the start'],
  '42P01': ['replaced', 'the database has not the tables that were found in it at the start'],
  '55P03': ['locked', 'a lock in the database was not released in time'],
};

const REFUSED: Readonly<Record<string, { readonly what: string; readonly todo: string }>> = {
  '28': {
    what: 'the database does not let this user in',
    todo: 'check user and password in DATABASE_URL, and pg_hba.conf of the server',
  },
  '3D000': {
    what: 'there is no such database',
    todo: 'make it with "createdb", or correct the last part of DATABASE_URL',
  },
  '42501': {
    what: 'this database user may not do that',
    todo: 'let the user of DATABASE_URL own the database, or grant it CREATE on its schema',
  },
};

/** Errors that the driver raises itself carry no SQLSTATE. */
const fromClient = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const { message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const refusal = CLIENT_REFUSED.find(([pattern]) => pattern.test(`${code} ${message}`));
  if (refusal) return new StoreRefused(refusal[1], { todo: refusal[2], cause: error });
  if (/^Query read timeout/.test(message)) {
    return new StoreUnavailable('the database did not answer in time', { reason: 'slow', cause: error });
  }
  if (
    /^Connection terminated|^Client has encountered a connection error|^timeout expired|^timeout exceeded when trying to connect/.test(
      message,
    ) ||
    /^(E(CONN|PIPE|TIMEDOUT|HOST|NET|AI_)|ENOTFOUND|ENOENT)/.test(code) ||
    error instanceof AggregateError
  ) {
    return new StoreUnavailable(`the database cannot be reached${code === '' ? '' : ` (${code})`}`, { cause: error });
  }
  return error;
};

const CLIENT_REFUSED: readonly (readonly [pattern: RegExp, what: string, todo: string])[] = [
  [
    /does not support SSL connections/,
    'the database does not speak TLS',
    'take sslmode out of DATABASE_URL, or turn TLS on at the server',
  ],
  [
    /SASL|password must be a string/,
    'the database wants a password that DATABASE_URL does not have right',
    'check user and password in DATABASE_URL',
  ],
  [
    /ERR_INVALID_URL|Invalid URL|URI malformed/,
    'DATABASE_URL is not a URL',
    'write it as postgres://user:password@host:5432/database, with special characters %-encoded',
  ],
  [
    /CERT|certificate|ERR_TLS/,
    'the certificate of the database is not trusted',
    'name its authority with sslrootcert in DATABASE_URL',
  ],
];

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
