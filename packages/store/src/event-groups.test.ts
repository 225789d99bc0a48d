import { describe, expect, it } from '@jest/globals';
import { gainOf, groupEvents, modelOf } from './event-groups.ts';
import { anEvent } from './testing/an-event.ts';

const MOST = 2n ** 53n - 1n;
const charge = (charged: bigint, part: { readonly wouldRefuse?: boolean } = {}) => ({
  budget: 'n/b',
  limit: 'daily',
  partition: '',
  windowId: 'w',
  epoch: '',
  held: charged,
  charged,
  ...part,
});

describe('events of a batch', () => {
  it('are sorted by what they have in common, and summed beyond what a double holds', () => {
    const groups = groupEvents({
      instance: 'i',
      events: [
        anEvent({ seq: 1, charged: MOST, usage: { input: Number(MOST), output: 1 }, counters: [charge(MOST)] }),
        anEvent({
          seq: 2,
          charged: MOST,
          usage: { input: Number(MOST), output: 1 },
          counters: [charge(5n)],
          user: 'u',
        }),
        anEvent({ seq: 3, charged: 5n, modelSent: 'n' }),
      ],
    });
    expect(groups.map(({ members }) => members.map(({ event }) => event.seq))).toEqual([[1, 2], [3]]);
    expect(groups.map(({ members }) => gainOf(members))).toEqual([
      { calls: 2n, charged: 2n * MOST, inputTokens: 2n * MOST, outputTokens: 2n, byCounter: [MOST + 5n] },
      { calls: 1n, charged: 5n, inputTokens: 100n, outputTokens: 20n, byCounter: [] },
    ]);
    expect(gainOf([])).toEqual({ calls: 0n, charged: 0n, inputTokens: 0n, outputTokens: 0n, byCounter: [] });
  });

  it.each([
    ['team', { subject: { namespace: 'default', workload: 'local', labels: {}, team: 'other' } }],
    ['labels', { subject: { namespace: 'default', workload: 'local', labels: { a: 'b' }, team: 'default' } }],
    ['attempt', { attempt: 2 }],
    ['prompt', { promptId: 'p' }],
    ['prompt version', { promptVersion: '2' }],
    ['model that answered', { modelAnswered: 'm' }],
    ['price', { priceRow: { model: 'm', source: 's', date: 'd' } }],
    ['kind of settling', { settle: 'estimated' as const }],
    ['boundedness', { unproven: true }],
    ['counter', { counters: [charge(1n)] }],
    ['counter that would refuse', { counters: [charge(1n, { wouldRefuse: true })] }],
  ])('of another %s are of another kind', (_what, part) => {
    expect(groupEvents({ instance: 'i', events: [anEvent({ seq: 1 }), anEvent({ seq: 2, ...part })] })).toHaveLength(2);
  });

  it('that come twice in one batch count once, and are refused where their bodies differ', () => {
    const event = anEvent({ seq: 1, charged: 1n });
    expect(groupEvents({ instance: 'i', events: [event, { ...event }] })[0]?.members).toHaveLength(1);
    expect(() => groupEvents({ instance: 'i', events: [event, { ...event, charged: 2n }] })).toThrow('another body');
  });

  it('name the model that was sent, else asked for, else answered', () => {
    const none = { modelSent: null, modelAsked: null, modelAnswered: null };
    expect(modelOf({ modelSent: 'sent', modelAsked: 'asked', modelAnswered: 'answered' })).toBe('sent');
    expect(modelOf({ ...none, modelAsked: 'asked', modelAnswered: 'answered' })).toBe('asked');
    expect(modelOf({ ...none, modelAnswered: 'answered' })).toBe('answered');
    expect(modelOf(none)).toBe('');
  });
});
