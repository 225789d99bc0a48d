import { describe, expect, it } from '@jest/globals';
import { isNews } from '../log-line.ts';
import { countRefusals } from './refusals.ts';
import { parseSpendCap } from './spend-cap.ts';
import { hasProvider, upstreamsOf, wrappedEnv } from './upstreams.ts';

describe('the cap of a wrapped command', () => {
  it.each([
    ['2usd', 2_000_000_000n],
    ['$2', 2_000_000_000n],
    ['2', 2_000_000_000n],
    ['0.05USD', 50_000_000n],
    ['.5 usd', 500_000_000n],
    ['$1.000000001', 1_000_000_001n],
    ['1 dollar', 1_000_000_000n],
    ['007.10000000000', 7_100_000_000n],
    ['9007199.254740991', 9_007_199_254_740_991n],
  ])('may be written %s', (text, nano) => {
    expect(parseSpendCap(text)).toEqual({ ok: true, nano });
  });

  it.each([
    ['', 'not an amount'],
    ['zero', 'not an amount'],
    ['-1', 'not an amount'],
    ['1,5', 'not an amount'],
    ['2eur', 'not an amount'],
    ['1e3', 'not an amount'],
    ['0', 'a budget of 0'],
    ['$0.00', 'a budget of 0'],
    ['0.0000000001', 'finer than a nano-dollar'],
    ['1.0000000005usd', 'finer than a nano-dollar'],
    ['9007199.254740992', 'too large for a budget, which ends at $9,007,199.254740991'],
    ['99999999', 'too large'],
    ['99999999999999', 'too large'],
  ])('may not be written "%s"', (text, words) => {
    expect(parseSpendCap(text)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });
});

describe('the environment of a wrapped command', () => {
  const proxyUrl = 'http://127.0.0.1:4100';

  it('leads every SDK to the proxy, past any proxy of its own', () => {
    expect(
      wrappedEnv({ HOME: '/h', NO_PROXY: 'corp, localhost', OPENAI_API_KEY: 'sk' }, { proxyUrl, isMock: false }),
    ).toEqual({
      HOME: '/h',
      OPENAI_API_KEY: 'sk',
      OPENAI_BASE_URL: `${proxyUrl}/openai/v1`,
      OPENAI_API_BASE: `${proxyUrl}/openai/v1`,
      ANTHROPIC_BASE_URL: `${proxyUrl}/anthropic`,
      GOOGLE_GEMINI_BASE_URL: `${proxyUrl}/gemini`,
      AZURE_OPENAI_ENDPOINT: `${proxyUrl}/azure`,
      NO_PROXY: 'corp,localhost,127.0.0.1',
      no_proxy: 'corp,localhost,127.0.0.1',
    });
  });

  it('has keys worth nothing for simulated answers, in place of real ones', () => {
    const env = wrappedEnv({ OPENAI_API_KEY: 'sk-real' }, { proxyUrl, isMock: true });
    for (const name of [
      'OPENAI_API_KEY',
      'ANTHROPIC_API_KEY',
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
      'AZURE_OPENAI_API_KEY',
    ]) {
      expect(env[name]).toBe('mock-key-worth-nothing');
    }
    expect(env['ANTHROPIC_AUTH_TOKEN']).toBeUndefined();
  });

  it('tells of a provider by its key or by its base URL, which is then where calls go', () => {
    expect(hasProvider({ PATH: '/bin', OPENAI_API_KEY: '' })).toBe(false);
    expect(hasProvider({ GEMINI_API_KEY: 'k' })).toBe(true);
    expect(hasProvider({ OPENAI_API_BASE: 'http://ollama:11434/v1' })).toBe(true);
    expect(
      upstreamsOf({ OPENAI_API_BASE: 'http://old', OPENAI_BASE_URL: 'http://new', ANTHROPIC_BASE_URL: 'http://a' }),
    ).toEqual({ openai: 'http://new', anthropic: 'http://a' });
  });
});

describe('what the processes say', () => {
  it('is counted for refusals over all codes', () => {
    expect(
      countRefusals(
        '# TYPE tollgate_refusals_total counter\ntollgate_refusals_total{code="a"} 3\ntollgate_refusals_total{code="b"} 4\nother 9\n',
      ),
    ).toBe(7);
    expect(countRefusals('')).toBe(0);
  });

  it('is shown when it is a warning, an error or no log line', () => {
    expect(
      ['{"level":"info","msg":"x"}', '{"level":"debug"}', '{"level":"warn"}', 'Segmentation fault'].map(isNews),
    ).toEqual([false, false, true, true]);
  });
});
