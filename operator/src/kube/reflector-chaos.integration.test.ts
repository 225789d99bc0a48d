/** The reflector against a server that misbehaves in every way, its own waits made a hundred times shorter. */
import { describe, expect, it } from '@jest/globals';
import { silentLogger, type Timers } from '@tollgate/runtime';
import { startFakeApiServer, type FakeApiServer } from '../testing/fake-api-server.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { makeReflector } from './reflector.ts';
import { clientOf } from './testing/client-of.ts';

const WIDGET: KubeKind = { group: 'test.dev', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const STORED = 'test.dev/v1/widgets';
const SPEED = 100;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Chance from a seed (mulberry32): a failing run is one number. */
const seeded = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const setUp = async (random: () => number) => {
  const server = await startFakeApiServer();
  const client = clientOf(server);
  const timers: Timers = {
    after: (ms, act) => {
      const timer = setTimeout(act, ms / SPEED);
      return () => clearTimeout(timer);
    },
  };
  const reflector = makeReflector<KubeObject>({
    api: client.api,
    kind: WIDGET,
    timers,
    clock: () => performance.now() * SPEED,
    random,
    log: silentLogger(),
    metrics: client.metrics,
  });
  /** What listeners were told, put together: it must come to the same as the cache. */
  const told = new Map<string, string>();
  reflector.cache.onChange(({ before, after }) => {
    if (after !== null) told.set(after.metadata.name, after.metadata.resourceVersion ?? '');
    else if (before !== null) told.delete(before.metadata.name);
    if (random() < 0.02) throw new Error('a listener of the test');
  });
  return { server, client, reflector, told };
};

const versions = (
  objects: readonly { readonly metadata: { readonly name: string; readonly resourceVersion?: string } }[],
) => Object.fromEntries(objects.map(({ metadata }) => [metadata.name, metadata.resourceVersion]).sort());

const converged = async (server: FakeApiServer, cached: () => object): Promise<void> => {
  const until = performance.now() + 40_000;
  while (JSON.stringify(cached()) !== JSON.stringify(versions(server.store.list(STORED, null)))) {
    if (performance.now() > until) expect(cached()).toEqual(versions(server.store.list(STORED, null)));
    await sleep(20);
  }
};

describe('the reflector among faults', () => {
  const change = (server: FakeApiServer, random: () => number): void => {
    const name = `w-${Math.floor(random() * 40)}`;
    if (random() < 0.3) server.store.remove(STORED, 'a', name);
    else server.store.put(STORED, { metadata: { namespace: 'a', name }, spec: { size: Math.floor(random() * 10) } });
  };
  const faults: readonly ((server: FakeApiServer, random: () => number) => void | Promise<void>)[] = [
    ({ faults: f }) => f.reset(),
    ({ faults: f }) => f.cutLine(),
    ({ faults: f }) => f.close(),
    ({ faults: f }) => f.silence(),
    ({ faults: f }, random) => f.lose(1 + Math.floor(random() * 5)),
    ({ faults: f }) => f.bookmark(),
    ({ faults: f }) => f.error(410, 'Expired'),
    ({ faults: f }) => f.error(500, 'InternalError'),
    ({ faults: f }) => f.expirePages(),
    ({ store }) => store.compact(),
    ({ faults: f }) => f.fail({ on: 'list', times: 2, status: 503, reason: 'ServiceUnavailable' }),
    ({ faults: f }) => f.fail({ on: 'watch', times: 2, status: 429, reason: 'TooManyRequests', retryAfterSeconds: 2 }),
    ({ faults: f }) => f.fail({ on: 'watch', status: 504, reason: 'Timeout', causes: ['ResourceVersionTooLarge'] }),
    ({ faults: f }) => f.fail({ on: 'any', times: 3, status: 502, text: '<html>bad gateway</html>' }),
    ({ faults: f }, random) => f.slow(random() * 30),
    async (server, random) => {
      await server.down();
      for (let i = 0; i < 5; i += 1) change(server, random);
      await sleep(random() * 100);
      await server.up();
    },
  ];

  it.each([1, 2, 3, 4, 5, 6])('ends with what the server has, and so do its listeners (seed %i)', async (seed) => {
    const random = seeded(seed);
    const { server, client, reflector, told } = await setUp(random);
    for (let i = 0; i < 30; i += 1) change(server, random);
    reflector.start();
    try {
      for (let step = 0; step < 60; step += 1) {
        for (let i = Math.floor(random() * 6); i > 0; i -= 1) change(server, random);
        if (random() < 0.5) await faults[Math.floor(random() * faults.length)]!(server, random);
        await sleep(random() * 40);
      }
      // No fault any more, but what was lost stays lost: only comparing finds it.
      server.faults.slow(0);
      server.faults.lose(0);
      change(server, random);
      await converged(server, () => versions(reflector.cache.list()));
      expect(Object.fromEntries([...told].sort())).toEqual(versions(reflector.cache.list()));
    } finally {
      await reflector.stop();
      client.close();
      await server.stop();
    }
  });

  it('makes up for a lost event though nothing ever changes again', async () => {
    const { server, client, reflector } = await setUp(() => 0.5);
    try {
      for (let i = 0; i < 3; i += 1) server.store.put(STORED, { metadata: { namespace: 'a', name: `w-${i}` } });
      reflector.start();
      await reflector.synced;
      while (server.openWatches() === 0) await sleep(5);
      server.faults.lose(3);
      server.store.remove(STORED, 'a', 'w-0');
      server.store.put(STORED, { metadata: { namespace: 'a', name: 'w-1' } });
      server.store.put(STORED, { metadata: { namespace: 'a', name: 'w-new' } });
      // Beyond what was lost: no later watch will bring it.
      server.faults.bookmark();
      await converged(server, () => versions(reflector.cache.list()));
      expect(await client.metrics.page()).toContain('tollgate_kube_missed_events_total{kind="Widget"} 3');
    } finally {
      await reflector.stop();
      client.close();
      await server.stop();
    }
  });
});
