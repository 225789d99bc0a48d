import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tollgate/runtime';
import { StandaloneError } from './standalone-error.ts';
import { reviewerFrom } from './token-settings.ts';

const signed = {
  keys: 'https://issuer/keys',
  issuer: 'https://issuer',
  ledgerAudience: 'tollgate',
  managementAudience: 'm',
};
const NONE = { shared: null, admin: null, signed: null, kubernetes: null };
const reviewer = (tokens: Parameters<typeof reviewerFrom>[0]['tokens']) =>
  reviewerFrom({
    tokens,
    systemNamespace: 'tollgate-system',
    operator: null,
    now: () => 0,
    log: silentLogger(),
  });

describe('the tokens of a server', () => {
  it('are those that its settings name, and no others', async () => {
    const review = reviewer({ shared: 'shared', admin: 'admin', signed, kubernetes: null });
    expect(await review('shared')).toMatchObject({ ok: true, caller: { ledger: true } });
    expect(await review('admin')).toMatchObject({ ok: true, caller: { ledger: false, management: 'all' } });
    expect(await review('eyJhbGciOiJub25lIn0.e30.')).toEqual({ ok: false, reason: 'algorithm' });
    expect(await reviewer({ shared: null, admin: null, signed: null, kubernetes: null })('shared')).toMatchObject({
      ok: false,
    });
  });

  it('say which keys cannot be used', () => {
    expect(() => reviewer({ ...NONE, signed: { ...signed, keys: '/nowhere/keys.json' } })).toThrow(StandaloneError);
    const kubernetes = {
      url: 'https://127.0.0.1:1',
      tokenFile: '/nowhere/token',
      caFile: '/nowhere/ca.crt',
      ledgerAudience: 'tollgate',
      managementAudience: 'm',
    };
    expect(() => reviewer({ ...NONE, kubernetes })).toThrow(/authority cannot be read/);
  });
});
