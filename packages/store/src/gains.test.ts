import { describe, expect, it } from '@jest/globals';
import { makeGains, modelOf } from './gains.ts';
import { anEvent } from './testing/an-event.ts';

describe('gains', () => {
  it('adds up by key, whatever object the key is, and beyond what a double holds', () => {
    const gains = makeGains<{ counter: string; model: string }>();
    const most = 2n ** 53n - 1n;
    const event = anEvent({ usage: { input: Number(most), output: 1 } });
    gains.add({ counter: '1', model: 'm' }, event, most, true);
    gains.add({ counter: '1', model: 'm' }, { ...event, unproven: true }, most);
    gains.add({ counter: '1', model: 'n' }, { ...event, settle: 'estimated' }, 5n);
    expect(gains.rows()).toEqual([
      {
        counter: '1',
        model: 'm',
        charged: String(2n * most),
        calls: '2',
        input_tokens: String(2n * most),
        output_tokens: '2',
        would_refuse: '1',
        unproven: '1',
        estimated: '0',
      },
      expect.objectContaining({ model: 'n', charged: '5', calls: '1', would_refuse: '0', estimated: '1' }),
    ]);
  });

  it('have no rows where nothing was added', () => {
    expect(makeGains().rows()).toEqual([]);
  });

  it('name the model that was sent, else asked for, else answered', () => {
    const none = { modelSent: null, modelAsked: null, modelAnswered: null };
    expect(modelOf({ modelSent: 'sent', modelAsked: 'asked', modelAnswered: 'answered' })).toBe('sent');
    expect(modelOf({ ...none, modelAsked: 'asked', modelAnswered: 'answered' })).toBe('asked');
    expect(modelOf({ ...none, modelAnswered: 'answered' })).toBe('answered');
    expect(modelOf(none)).toBe('');
  });
});
