import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  faultOfAnswer,
  faultOfStatus,
  isConflict,
  isExpired,
  isNotFound,
  isUnreachable,
  KubeFault,
} from './kube-fault.ts';

const STATUS = {
  kind: 'Status',
  code: 409,
  reason: 'Conflict',
  message: 'the object has been modified',
  details: { retryAfterSeconds: 2, causes: [{ reason: 'FieldManagerConflict' }, { message: 'no reason' }, null] },
};

describe('the fault of an answer', () => {
  it('says what was asked, what the server told, and how long to stay away', () => {
    const fault = faultOfAnswer('replace Lease a/b', 409, JSON.stringify(STATUS), '7');
    expect(fault).toMatchObject({
      name: 'KubeFault',
      status: 409,
      reason: 'Conflict',
      message: 'replace Lease a/b: the object has been modified',
      retryAfterMs: 2000,
      causes: ['FieldManagerConflict'],
    });
  });

  it('takes the header where the body says nothing of it, and only whole seconds', () => {
    expect(faultOfAnswer('list Pod', 429, '', '7').retryAfterMs).toBe(7000);
    expect(faultOfAnswer('list Pod', 429, '', 'Fri, 31 Dec 1999 23:59:59 GMT').retryAfterMs).toBeNull();
    expect(faultOfAnswer('list Pod', 429, '', undefined).retryAfterMs).toBeNull();
  });

  it('is made of whatever a server or a proxy before it answers', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((v) => JSON.stringify({ details: v })),
        ),
        (body) => {
          const fault = faultOfAnswer('get Pod a/b', 500, body, undefined);
          expect(fault).toBeInstanceOf(KubeFault);
          expect(fault.message).toMatch(/^get Pod a\/b: ./);
          expect(fault.message.length).toBeLessThan(2100);
        },
      ),
    );
  });

  it('of an ERROR event has the code of its Status', () => {
    expect(faultOfStatus('watch Pod', { ...STATUS, code: 410, reason: 'Expired' })).toMatchObject({ status: 410 });
    expect(faultOfStatus('watch Pod', undefined)).toMatchObject({ status: 500, reason: '', retryAfterMs: null });
  });
});

describe('a fault', () => {
  const fault = (status: number, reason = '', causes: readonly string[] = []): KubeFault =>
    new KubeFault({ status, reason, message: 'x', causes });

  it.each([
    ['missing', fault(404), isNotFound],
    ['a conflict', fault(409), isConflict],
    ['no answer', fault(0), isUnreachable],
    ['a version compacted away', fault(410), isExpired],
    ['a version ahead of the server', fault(504, 'Timeout', ['ResourceVersionTooLarge']), isExpired],
  ])('that means %s is told from all others', (_name, one, isSo) => {
    const others = [fault(400), fault(500), new Error('x'), 'x', null];
    expect([isSo(one), ...others.map(isSo)]).toEqual([true, false, false, false, false, false]);
  });
});
