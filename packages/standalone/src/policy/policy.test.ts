import { describe, expect, it } from '@jest/globals';
import { parseManifest } from '@tollgate/api/schema';
import type { ModelRoute } from '@tollgate/api/schema';
import { aSnapshot, aSnapshotRoute } from '@tollgate/testkit';
import { mockSnapshot, mockUpstreams } from './mock-snapshot.ts';
import { secretsOf, withRouteStatus } from './route-status.ts';

const route = (models: string[], ...keys: (string | null)[]): ModelRoute => {
  const parsed = parseManifest({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat' },
    spec: {
      rules: [
        {
          name: 'all',
          models,
          backends: keys.map((key, index) => ({
            name: `b${index}`,
            provider: {
              type: 'OpenAI',
              ...(key === null ? {} : { credentialsSecretRef: { name: key, key: 'api-key' } }),
            },
          })),
        },
      ],
    },
  });
  if (!parsed.ok || parsed.resource.kind !== 'ModelRoute') throw new Error('no route');
  return parsed.resource;
};

const since = '2026-11-21T10:00:00Z';
const lookUp = ({ name }: { name: string }) =>
  name === 'known' ? ({ found: true } as const) : ({ found: false, grant: `write ${name}` } as const);
const conditionsOf = (of: ModelRoute) =>
  (of.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

describe('the status of a route', () => {
  it('is ready where every key can be read, or none is named', () => {
    const done = withRouteStatus(route(['gpt-*'], 'known', null), { lookUp, since });
    expect(conditionsOf(done)).toEqual(['ResolvedRefs=True ResolvedRefs', 'Ready=True Serving']);
    expect(done.status?.summary).toEqual({ models: 'gpt-*', backends: '2/2' });
    expect(done.metadata.creationTimestamp).toBe(since);
  });

  it('names what grants a missing key, and is degraded while another backend can be used', () => {
    const done = withRouteStatus(route([], 'lost', 'known'), { lookUp, since });
    expect(conditionsOf(done)).toEqual(['ResolvedRefs=False SecretNotReadable', 'Ready=True Degraded']);
    expect(done.status?.conditions?.[0]?.message).toBe('The key lost/api-key cannot be read: write lost.');
    expect(done.status?.summary).toEqual({ models: '*', backends: '1/2' });
    expect(done.status?.backends?.[0]).toMatchObject({ name: 'b0', lastError: 'no key lost/api-key' });
  });

  it('is not ready while no backend can be used', () => {
    const done = withRouteStatus(route(['a', 'b', 'c', 'd', 'e', 'f'], 'lost'), { lookUp, since });
    expect(conditionsOf(done)).toEqual(['ResolvedRefs=False SecretNotReadable', 'Ready=False SecretNotReadable']);
    expect(done.status?.summary?.models).toBe('a,b,c,d +2');
  });
});

describe('the keys of routes', () => {
  it('are named once each', () => {
    expect(secretsOf([route([], 'a', 'a', null), route([], 'b')]).map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('a snapshot for the mock provider', () => {
  it('leads every backend to it, keeps all else, and has a version of its own', () => {
    const snapshot = aSnapshot({ routes: [aSnapshotRoute()] });
    const mocked = mockSnapshot(snapshot, 'http://mock', (text) => `hash of ${text}`);
    expect(mocked.version).toBe(`hash of ${snapshot.version} http://mock`);
    expect({ ...mocked, version: '', routes: [] }).toEqual({ ...snapshot, version: '', routes: [] });
    const urls = mocked.routes.flatMap(({ rules }) =>
      rules.flatMap(({ backends }) => backends.map(({ baseUrl }) => baseUrl)),
    );
    expect(new Set(urls)).toEqual(new Set(['http://mock/v1']));
    expect(mockUpstreams('http://mock')).toEqual({
      openai: 'http://mock/v1',
      anthropic: 'http://mock',
      gemini: 'http://mock',
      azure: 'http://mock',
    });
  });
});
