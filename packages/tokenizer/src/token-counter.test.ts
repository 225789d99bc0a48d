import { afterEach, describe, expect, it } from '@jest/globals';
import type { TokenCounter, TokenCounterOptions } from '@tollgate/tokenizer';
import { makeTokenCounter } from '@tollgate/tokenizer';

const open: TokenCounter[] = [];
const aCounter = (options?: TokenCounterOptions): TokenCounter => {
  // A busy machine may take seconds to load an encoding; only the tests of the time limits set short ones.
  const counter = makeTokenCounter({ timeoutMs: 60_000, loadMs: 60_000, ...options });
  open.push(counter);
  return counter;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((counter) => counter.release()));
});

describe('the token counter', () => {
  it.each([
    ['gpt-4o', 'hello world', 2],
    ['gpt-5', '', 0],
    ['gpt-4', 'tiktoken is great!', 6],
    ['text-embedding-3-small', 'antidisestablishmentarianism', 6],
  ])("counts as %s's public tokenizer does: %j", async (model, text, tokens) => {
    expect(await aCounter().count(model, text)).toEqual({ tokens, exact: true });
  });

  it('never counts more tokens than the text has bytes', async () => {
    const counter = aCounter();
    for (const text of ['\ufdfa'.repeat(200), 'ÿ'.repeat(200), '👩‍👩‍👧'.repeat(50), '\u0000\u0001', 'ab '.repeat(500)]) {
      const counted = await counter.count('gpt-4o', text);
      expect(counted?.tokens).toBeLessThanOrEqual(Buffer.byteLength(text));
    }
  });

  it('takes the names of special tokens for text', async () => {
    const counted = await aCounter().count('gpt-4o', '<|endoftext|>');
    expect(counted?.tokens).toBeGreaterThan(1);
  });

  it('answers null for a model without a public tokenizer', async () => {
    const counter = aCounter();
    expect(await counter.count('claude-opus-5', 'hello')).toBeNull();
    expect(await counter.count('gemini-2.5-pro', 'hello')).toBeNull();
  });

  it('answers null for a text that is too long', async () => {
    expect(await aCounter({ maxLength: 3 }).count('gpt-4o', 'four')).toBeNull();
  });

  it('answers null when too many counts wait', async () => {
    const counter = aCounter({ maxWaiting: 1 });
    const [first, second] = await Promise.all([counter.count('gpt-4o', 'one'), counter.count('gpt-4o', 'two')]);
    expect(first).toEqual({ tokens: 1, exact: true });
    expect(second).toBeNull();
  });

  it('waits longer while its worker loads, and gives a later caller up after its time', async () => {
    const counter = aCounter({ timeoutMs: 0, loadMs: 60_000 });
    expect(await counter.count('gpt-4o', 'a')).toEqual({ tokens: 1, exact: true });
    expect(await counter.count('gpt-4o', 'ab '.repeat(100_000))).toBeNull();
  });

  it('gives the first caller up too, while the worker goes on loading for the next', async () => {
    // Too short for a worker to start and load in: only one that was let live can answer in time.
    const counter = aCounter({ loadMs: 20 });
    let counted = await counter.count('gpt-4o', 'a');
    expect(counted).toBeNull();
    while (counted === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      counted = await counter.count('gpt-4o', 'a');
    }
    expect(counted).toEqual({ tokens: 1, exact: true });
  });

  it('ends a worker that is stuck, and counts again with a new one', async () => {
    const counter = aCounter({ stuckMs: 1 });
    expect(await counter.count('gpt-4o', 'a')).toBeNull();
    expect(await aCounter().count('gpt-4o', 'a')).toEqual({ tokens: 1, exact: true });
  });

  it('answers null when its worker cannot be loaded', async () => {
    const counter = aCounter({ workerUrl: new URL('./no-such-worker.ts', import.meta.url) });
    expect(await counter.count('gpt-4o', 'a')).toBeNull();
  });

  it('ends an idle worker, and starts another for the next count', async () => {
    const counter = aCounter({ idleMs: 0 });
    expect(await counter.count('gpt-4o', 'a')).toEqual({ tokens: 1, exact: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await counter.count('gpt-4o', 'a b')).toEqual({ tokens: 2, exact: true });
  });

  it('answers null once released', async () => {
    const counter = aCounter();
    const pending = counter.count('gpt-4o', 'a');
    await counter.release();
    expect(await pending).toBeNull();
    expect(await counter.count('gpt-4o', 'a')).toBeNull();
  });
});
