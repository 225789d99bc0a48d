import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { asksForAnotherTry, toStoreError } from './database-fault.ts';
import { StoreUnavailable } from './store-unavailable.ts';

const answered = (code: string): Error => Object.assign(new pg.DatabaseError('said the server', 1, 'error'), { code });
const failed = (code: string, message = 'said the driver'): Error => Object.assign(new Error(message), { code });

describe('an error of the database', () => {
  it.each([
    ['08006', 'unreachable'],
    ['53000', 'out-of-memory'],
    ['53100', 'disk-full'],
    ['53300', 'too-many-connections'],
    ['57014', 'slow'],
    ['57P01', 'stopped'],
    ['57P03', 'starting'],
    ['58030', 'stopped'],
    ['25006', 'read-only'],
    ['25P03', 'slow'],
    ['40001', 'contention'],
    ['40P01', 'contention'],
    ['55P03', 'locked'],
  ])('%s is waited out as %s, with its state in the message', (code, reason) => {
    const error = toStoreError(answered(code));
    expect(error).toMatchObject({ code: 'store_unavailable', reason });
    expect(String(error)).toContain(`(${code})`);
  });

  it.each([
    ['28P01', 'password'],
    ['28000', 'user'],
    ['3D000', 'createdb'],
    ['42501', 'grant'],
  ])('%s is refused, with what to do', (code, todo) => {
    const error = toStoreError(answered(code));
    expect(error).toMatchObject({ code: 'store_refused' });
    expect(error).toHaveProperty('todo', expect.stringContaining(todo));
  });

  it.each([
    failed('ECONNREFUSED'),
    failed('ECONNRESET'),
    failed('EPIPE'),
    failed('ETIMEDOUT'),
    failed('EHOSTUNREACH'),
    failed('ENETUNREACH'),
    failed('ENOTFOUND'),
    failed('EAI_AGAIN'),
    failed('', 'Connection terminated unexpectedly'),
    failed('', 'Query read timeout'),
    failed('', 'timeout exceeded when trying to connect'),
    new AggregateError([failed('ECONNREFUSED')]),
  ])('of the network is waited out: %s', (error) => {
    expect(toStoreError(error)).toBeInstanceOf(StoreUnavailable);
  });

  it.each([
    failed('', 'The server does not support SSL connections'),
    failed('', 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
    failed('ERR_INVALID_URL', 'Invalid URL'),
    failed('SELF_SIGNED_CERT_IN_CHAIN'),
  ])('of a setting is refused: %s', (error) => {
    expect(toStoreError(error)).toMatchObject({ code: 'store_refused' });
  });

  it('of ours stays what it is', () => {
    for (const error of [answered('42601'), answered('23514'), new TypeError('x'), 'text']) {
      expect(toStoreError(error)).toBe(error);
    }
    const known = new StoreUnavailable('x');
    expect(toStoreError(known)).toBe(known);
  });

  it('asks for another try only after a deadlock or a serialization failure', () => {
    expect([answered('40001'), answered('40P01'), answered('55P03'), new Error('x')].map(asksForAnotherTry)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
