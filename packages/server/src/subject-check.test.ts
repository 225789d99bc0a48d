import { describe, expect, it } from '@jest/globals';
import type { Subject } from '@tollgate/api';
import { checkSubject, isSameIdentity } from './subject-check.ts';

const workload = { namespace: 'shop', serviceAccount: 'web', pod: { name: 'web-7d4b9c-x2x4z', uid: 'u' } };
const aSubject = (part: Partial<Subject> = {}): Subject => ({
  namespace: 'shop',
  workload: 'web',
  labels: {},
  team: 'shop',
  ...part,
});

describe('the subject of a hello', () => {
  it('takes account and pod from the token', () => {
    expect(checkSubject({ workload }, aSubject())).toEqual({
      ok: true,
      subject: aSubject({ serviceAccount: 'web', pod: 'web-7d4b9c-x2x4z' }),
    });
  });

  it('is believed where the token is bound to nobody', () => {
    expect(checkSubject({ workload: null }, aSubject({ namespace: 'any' }))).toMatchObject({ ok: true });
  });

  it.each([
    ['namespace', { namespace: 'bank' }],
    ['service account', { serviceAccount: 'admin' }],
    ['pod', { pod: 'web-7d4b9c-aaaaa' }],
    ['workload', { workload: 'cart' }],
    ['workload', { workload: 'web-7d4b9c-x2x4z-more' }],
    ['workload', { workload: 'we' }],
  ])('is refused with another %s', (what, part) => {
    expect(checkSubject({ workload }, aSubject(part))).toMatchObject({
      ok: false,
      message: expect.stringContaining(what),
    });
  });

  it('knows the pods of a stateful set, of a bare pod, and of a name that was cut', () => {
    const long = 'a'.repeat(60);
    const podNamed = (name: string) => ({ workload: { ...workload, pod: { name, uid: 'u' } } });
    expect(checkSubject(podNamed('db-0'), aSubject({ workload: 'db' }))).toMatchObject({ ok: true });
    expect(checkSubject(podNamed('debug'), aSubject({ workload: 'debug' }))).toMatchObject({ ok: true });
    expect(checkSubject(podNamed(`${long.slice(0, 58)}x2x4z`), aSubject({ workload: long }))).toMatchObject({
      ok: true,
    });
  });

  it('is the same identity by namespace, account and pod', () => {
    const known = aSubject({ serviceAccount: 'web', pod: 'web-7d4b9c-x2x4z' });
    expect(isSameIdentity(workload, known)).toBe(true);
    expect(isSameIdentity(null, known)).toBe(true);
    expect(isSameIdentity(workload, { ...known, pod: 'web-7d4b9c-other' })).toBe(false);
    expect(isSameIdentity(workload, { ...known, namespace: 'bank' })).toBe(false);
    expect(isSameIdentity(workload, aSubject())).toBe(false);
  });
});
