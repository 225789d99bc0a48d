import { describe, expect, it } from '@jest/globals';
import { makeNews } from './news.ts';

const harness = () => {
  const printed: string[] = [];
  const due: (() => void)[] = [];
  const news = makeNews({
    write: (text) => printed.push(text),
    timers: { after: (_, act) => (due.push(act), () => undefined) },
    holdMs: 500,
  });
  return { news, printed, pass: () => due.splice(0).forEach((act) => act()) };
};

describe('what the processes log', () => {
  it('is printed in its order after a moment, or at once at the end', () => {
    const { news, printed, pass } = harness();
    news.print('a');
    news.print('b');
    expect(printed).toEqual([]);
    pass();
    news.print('c');
    expect(printed).toEqual(['a', 'b']);
    news.flush();
    pass();
    expect(printed).toEqual(['a', 'b', 'c']);
  });

  it('is not printed once its cause was said', () => {
    const { news, printed, pass } = harness();
    news.print('connection lost');
    news.silence();
    news.print('cannot be reached');
    pass();
    news.flush();
    expect(printed).toEqual([]);
  });
});
