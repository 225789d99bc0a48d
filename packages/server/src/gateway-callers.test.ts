import { describe, expect, it } from '@jest/globals';
import type { Caller } from './auth/token-review.ts';
import { callerReview, subjectOfCaller } from './gateway-callers.ts';

const POD = { name: 'web-1', uid: 'u1' };
const workload = { namespace: 'shop', serviceAccount: 'web', pod: POD };
const caller: Caller = { name: 'n', workload, ledger: true, calls: true, management: 'none', isOperator: false };

describe("what a gateway is told of a caller's token", () => {
  it('whose it is, and how long that holds', () => {
    const review = { ok: true, caller, validUntil: 61_000, holdsUnasked: 901_000 } as const;
    expect(callerReview(review, 1_000)).toEqual({
      accepted: true,
      caller: workload,
      validMs: 60_000,
      unaskedMs: 900_000,
    });
    expect(callerReview({ ok: true, caller, validUntil: 500 }, 1_000)).toMatchObject({ validMs: 0, unaskedMs: 0 });
  });

  it.each([
    ['one for management alone', { ...caller, calls: false, management: 'namespace' }],
    ['the shared one of an installation', { ...caller, workload: null, calls: false, management: 'all' }],
  ] as const)('that it is for another audience: %s', (_what, other) => {
    expect(callerReview({ ok: true, caller: other, validUntil: null }, 0)).toEqual({
      accepted: false,
      fault: 'audience',
    });
  });

  it.each([
    ['expired', 'expired'],
    ['audience', 'audience'],
    ['signature', 'invalid'],
    ['unknown', 'invalid'],
    ['claims', 'invalid'],
  ] as const)('no more than the caller can know itself: %s', (reason, fault) => {
    expect(callerReview({ ok: false, reason }, 0)).toEqual({ accepted: false, fault });
  });

  it('nothing, where nobody can say', () => {
    expect(callerReview({ ok: false, reason: 'unavailable' }, 0)).toBeNull();
  });
});

describe('whom a caller of a gateway speaks for', () => {
  const known = { namespace: 'shop', workload: 'web', serviceAccount: 'web', pod: 'web-1', labels: {}, team: 'a' };
  const pods = { subjectOf: (uid: string) => (uid === 'u1' ? known : null) };

  it('is what the operator says of its pod, where that carries the proxy', () => {
    expect(subjectOfCaller(workload, pods)).toBe(known);
  });

  it('is its account else, without a label', () => {
    const account = {
      namespace: 'shop',
      workload: 'web',
      workloadKind: 'ServiceAccount',
      serviceAccount: 'web',
      labels: {},
      team: 'shop',
    };
    expect(subjectOfCaller({ ...workload, pod: null }, pods)).toEqual(account);
    expect(subjectOfCaller({ ...workload, pod: { name: 'job-1', uid: 'u2' } }, pods)).toEqual({
      ...account,
      pod: 'job-1',
    });
    expect(subjectOfCaller(workload, null)).toEqual({ ...account, pod: 'web-1' });
  });

  it('is not what is said of a pod of others', () => {
    expect(subjectOfCaller({ ...workload, serviceAccount: 'cart' }, pods)).toMatchObject({ workload: 'cart' });
    expect(subjectOfCaller({ ...workload, namespace: 'bank' }, pods)).toMatchObject({ namespace: 'bank', labels: {} });
  });
});
