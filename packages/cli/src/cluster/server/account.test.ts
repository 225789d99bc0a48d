import { describe, expect, it } from '@jest/globals';
import { accountOf } from './account.ts';

describe('in whose name the server of a cluster is asked', () => {
  it.each([
    [{}, 'tollgate-system/default'],
    [{ namespace: 'shop' }, 'shop/default'],
    [{ serviceAccount: 'reader' }, 'tollgate-system/reader'],
    [{ namespace: 'shop', serviceAccount: 'reader' }, 'shop/reader'],
  ])('with %j it is %s', (options, account) => {
    const { namespace, name } = accountOf(options, 'tollgate-system');
    expect(`${namespace}/${name}`).toBe(account);
  });
});
