import { describe, expect, it } from '@jest/globals';
import { mayReasonUnseen } from '@tollgate/metering';

describe('reasoning that a stream does not carry', () => {
  it.each(['gpt-4o-mini', 'gpt-4.1', 'gpt-3.5-turbo-instruct', 'claude-haiku-4-5', 'gemini-2.0-flash'])(
    'is not done by %s',
    (model) => {
      expect(mayReasonUnseen(model, false)).toBe(false);
    },
  );

  it.each(['o3', 'o4-mini', 'gpt-5', 'gpt-5.4-mini', 'gemini-2.5-flash', 'gemini-3-pro', 'some-new-model', null])(
    'may be done by %s',
    (model) => {
      expect(mayReasonUnseen(model, false)).toBe(true);
    },
  );

  it('is done by whatever model was asked to think', () => {
    expect(mayReasonUnseen('claude-haiku-4-5', true)).toBe(true);
  });
});
