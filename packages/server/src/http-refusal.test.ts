import { describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '@tollgate/ledger';
import { StoreUnavailable } from '@tollgate/store';
import { toHttpRefusal } from './http-refusal.ts';

describe('toHttpRefusal', () => {
  it.each([
    [new StoreUnavailable('x'), 503, 'ledger_unavailable'],
    [new LedgerUnavailable('x'), 503, 'ledger_unavailable'],
    [new Error('secret'), 500, 'internal'],
    ['thrown text', 500, 'internal'],
    [Object.assign(new Error('secret'), { type: 'entity.parse.failed' }), 400, 'entity_parse_failed'],
    [Object.assign(new Error('secret'), { type: 'charset.unsupported' }), 415, 'charset_unsupported'],
  ])('%s', (error, status, code) => {
    const refusal = toHttpRefusal(error);
    expect(refusal).toMatchObject({ status, code });
    expect(refusal.isOutage).toBe(status === 503);
    expect(refusal.message).not.toContain('secret');
  });
});
