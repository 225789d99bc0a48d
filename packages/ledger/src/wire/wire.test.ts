import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AcquireRequest, AcquireResult, GiveBackRequest } from '../lease-port.ts';
import { anEvent, anIntent } from '../spool/testing/an-event.ts';
import {
  decodeAcquireRequest,
  decodeAcquireResult,
  decodeClose,
  decodeEvents,
  decodeEventsReply,
  decodeGiveBack,
  decodeHello,
  decodeHelloReply,
  decodeIntent,
  decodeRunning,
  decodeStreamLine,
  encodeAcquireRequest,
  encodeAcquireResult,
  encodeClose,
  encodeEvents,
  encodeEventsReply,
  encodeGiveBack,
  encodeHello,
  encodeHelloReply,
  encodeIntent,
  encodePing,
  encodeRecall,
  encodeRunning,
  encodeSnapshot,
  readErrorBody,
  WireFault,
} from './index.ts';

const COUNTER = { budget: 'shop/monthly', limit: 'cost', partition: '' };
const SUBJECT = { namespace: 'shop', workload: 'cart', labels: { app: 'cart' }, team: 'shop' };
const ACQUIRE: AcquireRequest = { instance: 'i1', seq: 1, needs: [{ ...COUNTER, need: 10n, prefer: 50n }] };
const GRANTED: AcquireResult = {
  granted: true,
  grants: [
    {
      ...COUNTER,
      leaseId: 'l1',
      epoch: 'e1',
      window: { id: 'w', start: 0, end: 86_400_000 },
      remainingMs: 5,
      amount: 9_007_199_254_740_991n,
      left: -3n,
    },
  ],
};
const DENIED: AcquireResult = {
  granted: false,
  reason: 'held',
  counter: COUNTER,
  need: 1n,
  limit: 2n,
  left: -1n,
  resetMs: null,
};
const GIVE_BACK: GiveBackRequest = {
  instance: 'i1',
  seq: 2,
  returns: [{ ...COUNTER, leaseId: 'l1', windowId: 'w', epoch: 'e1', amount: 4n }],
};
const HELLO = {
  contract: 1,
  instance: 'i1',
  version: '0.1.0',
  subject: { ...SUBJECT, workloadKind: 'Deployment', pod: 'cart-1', serviceAccount: 'cart' },
} as const;
const HELLO_REPLY = {
  organisation: 'o',
  epoch: 'e1',
  subject: SUBJECT,
  liveProxies: 2,
  ledgerTimeMs: 1_795_000_000_000,
};
const CLOSE = { instance: 'i1', epoch: 'e1', lastSeq: 7 };
const SNAPSHOT = {
  contract: 1,
  version: 'v1',
  organisation: 'o',
  subject: SUBJECT,
  budgets: [],
  routes: [],
  prices: { version: 'p', rows: [], aliases: {} },
} as const;

describe('the wire', () => {
  it('carries when the first byte came, where it is told', () => {
    const event = anEvent(1);
    const later = { ...event, firstByteAt: event.startedAt + 5 };
    const round = (sent: typeof later | typeof event): unknown =>
      decodeEvents(encodeEvents({ instance: 'i', events: [sent] })).events[0];
    expect(round(later)).toEqual(later);
    expect(round(event)).not.toHaveProperty('firstByteAt');
  });

  it('carries what is wrong around a proxy, as far as this version knows it', () => {
    const hello = { contract: 1 as const, instance: 'i1', version: '1', subject: SUBJECT };
    expect(decodeHello(encodeHello({ ...hello, degraded: ['overdraft'] }))).toEqual({
      ...hello,
      degraded: ['overdraft'],
    });
    const later = JSON.stringify({ ...hello, degraded: ['spool_full', 'moon_full', 7] });
    expect(decodeHello(later)).toEqual({ ...hello, degraded: ['spool_full'] });
    expect(() => decodeHello(JSON.stringify({ ...hello, degraded: 'all' }))).toThrow('a list');
    const direct = [{ host: 'api.openai.com', count: 2 }];
    expect(decodeHello(encodeHello({ ...hello, direct }))).toEqual({ ...hello, direct });
    expect(decodeRunning(encodeRunning({ instance: 'i1', snapshot: 'v', direct }))).toEqual({
      instance: 'i1',
      snapshot: 'v',
      direct,
    });
    expect(decodeRunning('{"instance":"i1","snapshot":"v","of":"a later version"}')).not.toHaveProperty('direct');
    const bound = {
      caller: { namespace: 'shop', serviceAccount: 'ci', pod: { name: 'web-1', uid: 'u' } },
      snapshot: 'v',
    };
    const unbound = { caller: { namespace: 'shop', serviceAccount: 'ci', pod: null }, snapshot: 'w' };
    const callers = [bound, unbound];
    expect(decodeRunning(encodeRunning({ instance: 'i1', snapshot: 'v', callers }))).toMatchObject({ callers });
    for (const wrong of [7, [7], [{ host: 'a\nb', count: 1 }], [{ host: 'a', count: -1 }], Array(65).fill(direct[0])]) {
      expect(() => decodeHello(JSON.stringify({ ...hello, direct: wrong }))).toThrow('direct');
    }
  });

  it('brings everything over unchanged', () => {
    expect(decodeAcquireRequest(encodeAcquireRequest(ACQUIRE))).toEqual(ACQUIRE);
    expect(decodeAcquireResult(encodeAcquireResult(GRANTED))).toEqual(GRANTED);
    expect(decodeAcquireResult(encodeAcquireResult(DENIED))).toEqual(DENIED);
    expect(decodeGiveBack(encodeGiveBack(GIVE_BACK))).toEqual(GIVE_BACK);
    expect(decodeHello(encodeHello(HELLO))).toEqual(HELLO);
    expect(decodeHelloReply(encodeHelloReply(HELLO_REPLY))).toEqual(HELLO_REPLY);
    expect(decodeHello(encodeHello({ ...HELLO, library: '1.abc' }))).toEqual({ ...HELLO, library: '1.abc' });
    expect(decodeHello(encodeHello({ ...HELLO, snapshot: 'v1' }))).toEqual({ ...HELLO, snapshot: 'v1' });
    expect(decodeRunning(encodeRunning({ instance: 'i1', snapshot: 'v1' }))).toEqual({
      instance: 'i1',
      snapshot: 'v1',
    });
    expect(decodeClose(encodeClose(CLOSE))).toEqual(CLOSE);
    expect(decodeEventsReply(encodeEventsReply({ ack: 9 }))).toEqual({ ack: 9 });
    const rates = { input: '150000000', webSearch: '10000000' };
    const events = [
      anEvent(1),
      anEvent(2, { priceRow: null, counters: [], user: null, usage: {} }),
      anEvent(3, { priceRow: { model: 'p/m', source: 's', date: 'd', rates } }),
    ];
    expect(decodeEvents(encodeEvents({ instance: 'i1', events }))).toEqual({ instance: 'i1', events });
    expect(decodeIntent(encodeIntent(anIntent(3)))).toEqual(anIntent(3));
  });

  it('carries snapshots, heartbeats and recalls in one stream', () => {
    expect(decodeStreamLine(encodeSnapshot(SNAPSHOT))).toEqual({ kind: 'snapshot', snapshot: SNAPSHOT });
    expect(decodeStreamLine(encodePing())).toEqual({ kind: 'ping', epoch: null });
    expect(decodeStreamLine(encodePing('e1'))).toEqual({ kind: 'ping', epoch: 'e1' });
    expect(decodeStreamLine(encodeRecall([COUNTER]))).toEqual({ kind: 'recall', counters: [COUNTER] });
    expect(decodeStreamLine('{"later":"kind"}')).toBeNull();
    expect(() => decodeStreamLine(JSON.stringify({ ...SNAPSHOT, contract: 2 }))).toThrow(WireFault);
  });

  it('ignores what it does not know', () => {
    const later = { ...(JSON.parse(encodeAcquireRequest(ACQUIRE)) as object), priority: 'high' };
    expect(decodeAcquireRequest(JSON.stringify(later))).toEqual(ACQUIRE);
  });

  it('keeps an event whose caller wrote what no database takes, with a mark in its place', () => {
    const event = anEvent(1, { user: 'a\0b\ud800c\\u0000', requestId: 'émoji 😀' });
    const [read] = decodeEvents(encodeEvents({ instance: 'i1', events: [event] })).events;
    expect(read).toEqual({ ...event, user: 'a\ufffdb\ufffdc\\u0000' });
    expect(() => decodeEvents('{"instance":"\\u0000"')).toThrow('message: expected JSON');
  });

  it('reads every amount exactly, and none beyond 2^53 - 1', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), (value) => {
        const read = (): unknown => decodeAcquireRequest(aNeedText(String(value)));
        if (value > BigInt(Number.MAX_SAFE_INTEGER)) expect(read).toThrow('expected an amount');
        else expect(read()).toMatchObject({ needs: [{ need: value }] });
      }),
      { examples: [[9_007_199_254_740_991n], [9_007_199_254_740_992n], [9_007_199_254_740_993n], [0n]] },
    );
    for (const text of ['', '-0', '+1', '1.0', ' 1', '1 ', '１', '0x1', '00000000000000000']) {
      expect(() => decodeAcquireRequest(aNeedText(text))).toThrow('expected an amount');
    }
  });

  it('says where it is wrong', () => {
    const cases: readonly [string, (body: string) => unknown, unknown][] = [
      ['message: expected JSON', decodeAcquireResult, '<html>503 Service Unavailable</html>'],
      ['message: expected JSON', decodeAcquireResult, ''],
      ['message: expected an object', decodeAcquireRequest, []],
      ['message: expected an object', decodeClose, null],
      ['instance: expected a short name', decodeAcquireRequest, { instance: 7 }],
      ['seq: expected a whole number', decodeAcquireRequest, { instance: 'i', seq: '1' }],
      ['seq: expected a whole number', decodeAcquireRequest, { instance: 'i', seq: 1.5 }],
      ['seq: expected a whole number', decodeAcquireRequest, { instance: 'i', seq: -1 }],
      ['needs: expected a list', decodeAcquireRequest, { instance: 'i', seq: 1, needs: {} }],
      [
        'needs: expected a list of at most 256',
        decodeAcquireRequest,
        { instance: 'i', seq: 1, needs: Array(257).fill(0) },
      ],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: '-1' })],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: 1e300 })],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: 5 })],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: 'NaN' })],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: '9007199254740992' })],
      ['needs[0].need: expected an amount', decodeAcquireRequest, aNeed({ need: '1e3' })],
      ['needs[0].prefer: expected at least the need', decodeAcquireRequest, aNeed({ prefer: '1' })],
      ['granted: expected true or false', decodeAcquireResult, { granted: 'yes' }],
      [
        'reason: expected one of neverFits, exhausted, held',
        decodeAcquireResult,
        { granted: false, reason: 'because' },
      ],
      [
        'left: expected an amount',
        decodeAcquireResult,
        { granted: false, reason: 'held', counter: COUNTER, need: '1', limit: '2', left: 0 },
      ],
      ['contract: expected 1, which this server speaks, not the 2 of an unnamed', decodeHello, { contract: 2 }],
      ['not the 0 of version 0.0.1', decodeHello, { contract: 0, version: '0.0.1' }],
      ['instance: expected a short name', decodeHello, { ...HELLO, instance: '' }],
      ['instance: expected a short name', decodeHello, { ...HELLO, instance: 'a\nb' }],
      ['message: expected text without NUL', decodeHello, { ...HELLO, instance: 'a\0b' }],
      ['message: expected text without NUL', decodeAcquireRequest, aNeed({ partition: '\ud800' })],
      ['subject.labels: expected names of labels', decodeHello, HELLO_WITH_PROTO],
      ['version: expected a short name', decodeHello, { ...HELLO, version: 'x'.repeat(129) }],
      ['snapshot: expected a short name', decodeHello, { ...HELLO, snapshot: '' }],
      ['snapshot: expected a short name', decodeRunning, { instance: 'i1' }],
      ['subject.labels.app: expected a string', decodeHello, { ...HELLO, subject: { ...SUBJECT, labels: { app: 1 } } }],
      [
        'subject.labels: expected at most 256 labels',
        decodeHello,
        { ...HELLO, subject: { ...SUBJECT, labels: manyLabels() } },
      ],
      ['budget: expected a string', (body) => decodeStreamLine(body), { recall: [{ budget: 'x'.repeat(5_000) }] }],
      [
        'events[0].usage.input: expected a whole number',
        decodeEvents,
        { instance: 'i', events: [{ ...eventJson(), usage: { input: -1 } }] },
      ],
      [
        'events[0].settle: expected one of',
        decodeEvents,
        { instance: 'i', events: [{ ...eventJson(), settle: 'free' }] },
      ],
      [
        'events[0].counters[0].charged: expected an amount',
        decodeEvents,
        {
          instance: 'i',
          events: [{ ...eventJson(), counters: [{ ...COUNTER, windowId: 'w', epoch: 'e', held: '1' }] }],
        },
      ],
    ];
    for (const [message, decode, value] of cases) {
      const body = typeof value === 'string' ? value : JSON.stringify(value);
      expect(() => decode(body)).toThrow(message);
      expect(() => decode(body)).toThrow(WireFault);
    }
  });

  it('throws nothing else, whatever comes', () => {
    const decoders = [
      decodeAcquireRequest,
      decodeAcquireResult,
      decodeGiveBack,
      decodeHello,
      decodeHelloReply,
      decodeClose,
      decodeEvents,
      decodeIntent,
      decodeStreamLine,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        for (const decode of decoders) {
          try {
            decode(body);
          } catch (fault) {
            expect(fault).toBeInstanceOf(WireFault);
          }
        }
      }),
    );
  });

  it('reads the error of any answer, or says that there is none', () => {
    expect(readErrorBody('{"error":{"code":"seq_reused","message":"m"}}')).toEqual({
      code: 'seq_reused',
      message: 'm',
    });
    for (const body of ['', '<html>', '{}', '{"error":"x"}', '{"error":{"code":1}}', 'null']) {
      expect(readErrorBody(body).code).toBe('unreadable');
    }
  });
});

const aNeed = (more: object): object => ({
  instance: 'i',
  seq: 1,
  needs: [{ ...COUNTER, need: '2', prefer: '2', ...more }],
});
const aNeedText = (amount: string): string => JSON.stringify(aNeed({ need: amount, prefer: amount }));
const HELLO_WITH_PROTO = JSON.stringify({ ...HELLO, subject: { ...SUBJECT, labels: { a: '1' } } }).replace(
  '"a":',
  '"__proto__":',
);
const manyLabels = (): object =>
  Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`l${String(index)}`, '']));
const eventJson = (): object =>
  (JSON.parse(encodeEvents({ instance: 'i', events: [anEvent(1)] })) as { events: [object] }).events[0];
