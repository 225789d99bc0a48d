import { describe, expect, it } from '@jest/globals';
import type { CallerReview } from '../session.ts';
import {
  decodeCallerName,
  decodeCallerQuestion,
  decodeCallerReview,
  encodeCallerName,
  encodeCallerQuestion,
  encodeCallerReview,
} from './caller-wire.ts';
import { WireFault } from './wire-fault.ts';

const BOUND = { namespace: 'shop', serviceAccount: 'web', pod: { name: 'web-1', uid: 'u1' } };
const UNBOUND = { ...BOUND, pod: null };

describe('of callers', () => {
  it('names and answers arrive as they were sent', () => {
    for (const caller of [BOUND, UNBOUND]) {
      expect(decodeCallerName(encodeCallerName(caller))).toEqual(caller);
      const review: CallerReview = { accepted: true, caller, validMs: 1, unaskedMs: 2 };
      expect(decodeCallerReview(encodeCallerReview(review))).toEqual(review);
    }
    const no: CallerReview = { accepted: false, fault: 'expired' };
    expect(decodeCallerReview(encodeCallerReview(no))).toEqual(no);
    expect(decodeCallerQuestion(encodeCallerQuestion('a.b.c'))).toBe('a.b.c');
  });

  it.each([
    '',
    '{}',
    '[]',
    '["shop"]',
    '["shop","web","pod"]',
    '["shop","",null,null]',
    '["","web"]',
    '["a\\u0000","web"]',
  ])('no name is taken from %j', (text) => {
    expect(() => decodeCallerName(text)).toThrow(WireFault);
  });

  it.each(['', '{}', '{"token":""}', '{"token":"a b"}', `{"token":"${'x'.repeat(8_193)}"}`])(
    'no token is taken from %j',
    (text) => {
      expect(() => decodeCallerQuestion(text)).toThrow(WireFault);
    },
  );

  it.each([
    '<html>',
    '{"accepted":"yes"}',
    '{"accepted":false,"fault":"moon"}',
    '{"accepted":true}',
    '{"accepted":true,"caller":{"namespace":"shop","serviceAccount":"web"},"validMs":1,"unaskedMs":1}',
    '{"accepted":true,"caller":{"namespace":"shop","serviceAccount":"web","pod":null},"validMs":-1,"unaskedMs":1}',
  ])('no answer is taken from %j', (text) => {
    expect(() => decodeCallerReview(text)).toThrow(WireFault);
  });
});
