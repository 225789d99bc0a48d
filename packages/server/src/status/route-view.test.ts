import { describe, expect, it } from '@jest/globals';
import { ModelRouteSchema } from '@tollgate/api/schema';
import { routeView } from './route-view.ts';

const backend = (name: string) => ({ name, provider: { type: 'OpenAI' } });
const route = ModelRouteSchema.parse({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name: 'models', namespace: 'shop' },
  spec: {
    rules: [
      { name: 'mini', models: ['*-mini'], backends: [backend('openai')] },
      { name: 'all', backends: [backend('openai'), backend('spare')] },
    ],
  },
});
const FIGURES = { requests: 4, errors: 1, latencyP95Ms: 700, firstByteP95Ms: 90, outputTokens: 50, charged: 3n };
const row = { ...FIGURES, lastErrorStatus: 429, lastErrorAt: Date.UTC(2026, 10, 21) };

describe('a route as it is seen', () => {
  it('says of each backend how it fared; namesakes of two rules are told together, strangers not at all', () => {
    const { metadata, resource, backends } = routeView(route, [
      { route: 'shop/models', backend: 'openai', ...row },
      { route: 'bank/models', backend: 'spare', ...row },
    ]);
    expect([metadata, resource]).toEqual([{ namespace: 'shop', name: 'models' }, route]);
    const told = {
      ...FIGURES,
      lastError: 'answered 429: too many requests',
      lastErrorAt: '2026-11-21T00:00:00.000Z',
    };
    expect(backends).toEqual([
      { rule: 'mini', name: 'openai', ...told },
      { rule: 'all', name: 'openai', ...told },
      {
        rule: 'all',
        name: 'spare',
        requests: 0,
        errors: 0,
        latencyP95Ms: null,
        firstByteP95Ms: null,
        outputTokens: 0,
        charged: 0n,
        lastError: null,
        lastErrorAt: null,
      },
    ]);
  });

  it('says that a backend did not answer', () => {
    const { backends } = routeView(route, [{ route: 'shop/models', backend: 'spare', ...row, lastErrorStatus: null }]);
    expect(backends.at(-1)?.lastError).toBe('did not answer');
  });
});
