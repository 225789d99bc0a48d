import { describe, expect, it } from '@jest/globals';
import { makeAuthenticate } from './authenticate.ts';
import { adminToken, bearerToken } from './static-token.ts';
import { firstOf, type TokenReview, type TokenReviewer } from './token-review.ts';

const caller = {
  name: 'shop/web/pod',
  workload: null,
  ledger: true,
  calls: true,
  management: 'none',
  isOperator: false,
} as const;

const counting = (answer: TokenReview) => {
  const asked: string[] = [];
  const review: TokenReviewer = (token) => {
    asked.push(token);
    return Promise.resolve(answer);
  };
  return { asked, review };
};

describe('authenticate', () => {
  it('asks once for a token until its end, and for each token apart', async () => {
    const { asked, review } = counting({ ok: true, caller, validUntil: 1_000 });
    let now = 0;
    const authenticate = makeAuthenticate({ review, clock: () => now });
    const long = 'x'.repeat(3_000);
    await authenticate(`Bearer ${long}a`);
    expect(await authenticate(`Bearer ${long}a`)).toMatchObject({ ok: true, caller });
    await authenticate(`Bearer ${long}b`);
    expect(asked).toHaveLength(2);
    now = 1_000;
    await authenticate(`Bearer ${long}a`);
    expect(asked).toHaveLength(3);
  });

  it('remembers no refusal, and no more than so many', async () => {
    const no = counting({ ok: false, reason: 'signature' });
    const refuse = makeAuthenticate({ review: no.review, clock: () => 0 });
    await refuse('Bearer a');
    await refuse('Bearer a');
    expect(no.asked).toHaveLength(2);
    const yes = counting({ ok: true, caller, validUntil: 1_000 });
    const accept = makeAuthenticate({ review: yes.review, clock: () => 0, mostRemembered: 2 });
    for (const token of ['a', 'b', 'c', 'c', 'b', 'a']) await accept(`Bearer ${token}`);
    expect(yes.asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it.each([
    [undefined, 'missing'],
    ['', 'malformed'],
    ['Bearer ', 'malformed'],
    ['Bearer  x', 'malformed'],
    ['Bearer a b', 'malformed'],
    ['Bearer a\0', 'malformed'],
    ['Basic dGVzdA==', 'malformed'],
    [`Bearer ${'x'.repeat(1 << 20)}`, 'malformed'],
    ["Bearer '--", 'unknown'],
  ])('names what is wrong with %j', async (authorization, reason) => {
    const authenticate = makeAuthenticate({ review: bearerToken('secret'), clock: () => 0 });
    expect(await authenticate(authorization)).toEqual({ ok: false, reason });
  });

  it('takes the first adapter that knows a token', async () => {
    const expired: TokenReviewer = (token) =>
      Promise.resolve({ ok: false, reason: token.includes('.') ? 'expired' : 'unknown' });
    const review = firstOf([bearerToken('proxies'), adminToken('admins'), expired]);
    expect(await review('proxies')).toMatchObject({ caller: { ledger: true, management: 'all' } });
    expect(await review('admins')).toMatchObject({ caller: { ledger: false, management: 'all' } });
    expect(await review('a.b.c')).toEqual({ ok: false, reason: 'expired' });
    expect(await review('other')).toEqual({ ok: false, reason: 'unknown' });
  });

  it('lets what was accepted hold a while longer where nobody can be asked, and asks again now and then', async () => {
    let answer: TokenReview = { ok: true, caller, validUntil: 60_000, holdsUnasked: 900_000 };
    const outcomes: string[] = [];
    const asked: string[] = [];
    let now = 0;
    const authenticate = makeAuthenticate({
      review: (token) => {
        asked.push(token);
        return Promise.resolve(answer);
      },
      clock: () => now,
      onReviewed: (outcome) => outcomes.push(outcome),
    });
    await authenticate('Bearer a');
    answer = { ok: false, reason: 'unavailable' };
    now = 60_000;
    expect(await authenticate('Bearer a')).toMatchObject({ ok: true });
    expect(await authenticate('Bearer a')).toMatchObject({ ok: true });
    expect(asked).toHaveLength(2);
    now = 65_000;
    expect(await authenticate('Bearer a')).toMatchObject({ ok: true });
    expect(asked).toHaveLength(3);
    expect(await authenticate('Bearer b')).toEqual({ ok: false, reason: 'unavailable' });
    now = 900_000;
    expect(await authenticate('Bearer a')).toEqual({ ok: false, reason: 'unavailable' });
    expect(outcomes).toEqual(['accepted', 'unasked', 'unasked', 'unavailable', 'unavailable']);
  });

  it('forgets at once what is refused when it is asked again', async () => {
    let answer: TokenReview = { ok: true, caller, validUntil: 60_000, holdsUnasked: 900_000 };
    let now = 0;
    const authenticate = makeAuthenticate({ review: () => Promise.resolve(answer), clock: () => now });
    await authenticate('Bearer a');
    now = 60_000;
    answer = { ok: false, reason: 'signature' };
    expect(await authenticate('Bearer a')).toEqual(answer);
    answer = { ok: false, reason: 'unavailable' };
    expect(await authenticate('Bearer a')).toEqual(answer);
  });
});
