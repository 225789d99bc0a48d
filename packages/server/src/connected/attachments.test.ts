import { describe, expect, it } from '@jest/globals';
import { attachments } from './attachments.ts';

const proxy = (workload: string, snapshot: string | null) => ({
  subject: { namespace: 'shop', workload, labels: {}, team: 'shop' },
  snapshot,
  callers: null,
});
const gateway = (...callers: readonly (readonly [string, string])[]) => ({
  subject: { namespace: 'system', workload: 'gateway', labels: {}, team: 'system' },
  snapshot: 'g1',
  callers: callers.map(([serviceAccount, snapshot]) => ({
    caller: { namespace: 'shop', serviceAccount, pod: null },
    snapshot,
  })),
});
/** With the routes of another one the same budgets make another version. */
const classOf = ({ workload }: { readonly workload: string }, routesOf?: { readonly workload: string }) => {
  const by = routesOf === undefined ? '' : ` by ${routesOf.workload}`;
  return workload === 'web'
    ? { version: `w2${by}`, budgets: ['shop/pool', 'system/all'] }
    : { version: `c1${by}`, budgets: ['system/all'] };
};
const subjectOfCaller = ({ serviceAccount }: { readonly serviceAccount: string }) => ({
  namespace: 'shop',
  workload: serviceAccount,
  labels: {},
  team: 'shop',
});
const attached = (...proxies: Parameters<typeof attachments>[0]) =>
  attachments(proxies, { classOf, subjectOfCaller, systemNamespace: 'system' });

describe('attachments', () => {
  it('count the proxies that a budget binds, and those that say they run what is in force', () => {
    const proxies = [
      proxy('web', 'w2'),
      proxy('web', 'w1'),
      proxy('web', null),
      proxy('cart', 'c1'),
      proxy('cart', 'w2'),
    ];
    expect(attached(...proxies)).toEqual(
      new Map([
        ['shop/pool', { pods: 3, onVersion: 1 }],
        ['system/all', { pods: 5, onVersion: 2 }],
      ]),
    );
    expect(attached()).toEqual(new Map());
  });

  it('count a gateway once for all of its callers that a budget binds, as current only where it is for each', () => {
    const current = gateway(['web', 'w2 by gateway'], ['cart', 'c1 by gateway']);
    const behind = gateway(['web', 'w2 by gateway'], ['cart', 'c0 by gateway'], ['cart', 'c1 by gateway']);
    expect(attached(current, behind, proxy('web', 'w2'))).toEqual(
      new Map([
        ['shop/pool', { pods: 1, onVersion: 1, gateways: { count: 2, onVersion: 2 } }],
        ['system/all', { pods: 1, onVersion: 1, gateways: { count: 2, onVersion: 1 } }],
      ]),
    );
  });

  it('do not count a gateway for budgets that bind none of its callers, nor for its own', () => {
    expect(attached(gateway(['cart', 'c1 by gateway']))).toEqual(
      new Map([['system/all', { pods: 0, onVersion: 0, gateways: { count: 1, onVersion: 1 } }]]),
    );
    expect(attached(gateway())).toEqual(new Map());
    const silent = { ...gateway(), callers: null };
    expect(attached({ ...silent, snapshot: null })).toEqual(new Map());
    expect(attached(silent).get('system/all')).toEqual({ pods: 1, onVersion: 0 });
  });
});
