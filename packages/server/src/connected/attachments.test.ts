import { describe, expect, it } from '@jest/globals';
import { attachments } from './attachments.ts';

const proxy = (workload: string, snapshot: string | null) => ({
  subject: { namespace: 'shop', workload, labels: {}, team: 'shop' },
  snapshot,
});
const classOf = ({ workload }: { readonly workload: string }) =>
  workload === 'web'
    ? { version: 'w2', budgets: ['shop/pool', 'system/all'] }
    : { version: 'c1', budgets: ['system/all'] };

describe('attachments', () => {
  it('count the proxies that a budget binds, and those that say they run what is in force', () => {
    const proxies = [
      proxy('web', 'w2'),
      proxy('web', 'w1'),
      proxy('web', null),
      proxy('cart', 'c1'),
      proxy('cart', 'w2'),
    ];
    expect(attachments(proxies, classOf)).toEqual(
      new Map([
        ['shop/pool', { pods: 3, onVersion: 1 }],
        ['system/all', { pods: 5, onVersion: 2 }],
      ]),
    );
    expect(attachments([], classOf)).toEqual(new Map());
  });
});
