import { describe, expect, it } from '@jest/globals';
import type { SnapshotBackend } from '@tollgate/api';
import { aBackend } from '@tollgate/testkit';
import { baseOf, type UpstreamOverrides } from './backends.ts';

const KEY = { name: 'keys', key: 'openai' };
const overrides = (takeKeys: boolean): UpstreamOverrides => ({
  openai: 'http://mine.shop.svc/v1',
  anthropic: null,
  gemini: null,
  azure: 'https://mine.openai.azure.com',
  takeKeys,
});
const originOf = (backend: SnapshotBackend | null, takeKeys = false): string | undefined =>
  baseOf('openai', backend, overrides(takeKeys))?.origin;

describe('where a call goes', () => {
  it("is the pod's own base URL, for calls that carry a key of their own", () => {
    expect(originOf(null)).toBe('http://mine.shop.svc');
    expect(originOf(aBackend())).toBe('http://mine.shop.svc');
  });

  it("is the provider itself for a call that carries the route's key, whatever base URL the pod has", () => {
    expect(originOf(aBackend({ credential: KEY }))).toBe('https://api.openai.com');
    const azure = aBackend({ provider: 'AzureOpenAI', credential: KEY });
    expect(baseOf('azure', azure, overrides(false))).toBeNull();
  });

  it('is where the route says, above all; and with its key a base URL of who runs the proxy, where that one says so', () => {
    const stated = aBackend({ credential: KEY, baseUrl: 'https://gateway.example/openai/v1/' });
    expect(baseOf('openai', stated, overrides(false))).toEqual({
      origin: 'https://gateway.example',
      basePath: '/openai/v1',
    });
    expect(originOf(aBackend({ credential: KEY }), true)).toBe('http://mine.shop.svc');
  });
});
