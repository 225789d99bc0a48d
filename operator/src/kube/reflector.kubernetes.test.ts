/** The reflector against a real API server: what the fake one only imitates. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { silentLogger, systemTimers } from '@tollgate/runtime';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.ts';
import type { ListQuery } from './kube-api.ts';
import { isExpired } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { makeReflector, type Reflector } from './reflector.ts';
import { clientOf, type TestClient } from './testing/client-of.ts';

interface Note extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const CONFIG_MAP: KubeKind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const NAMESPACE: KubeKind = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(20);
};

describe('the reflector of a real API server', () => {
  let plane: ControlPlane;
  let client: TestClient;
  const reflectors: Reflector<Note>[] = [];
  let namespaces = 0;

  beforeAll(async () => {
    plane = await startControlPlane();
    client = clientOf(plane);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await plane?.stop();
  });
  afterEach(async () => {
    await Promise.all(reflectors.splice(0).map((reflector) => reflector.stop()));
  });

  const makeNamespace = async (): Promise<string> => {
    namespaces += 1;
    const name = `reflected-${namespaces}`;
    await client.api.create(NAMESPACE, { metadata: { name } });
    return name;
  };
  const note = (namespace: string, name: string, text = 'x'): Note => ({
    metadata: { namespace, name },
    data: { text },
  });
  const reflect = (namespace: string, query: Partial<ListQuery> = {}): Reflector<Note> => {
    const reflector = makeReflector<Note>({
      api: client.api,
      kind: CONFIG_MAP,
      selection: { namespace, ...query },
      timers: systemTimers,
      clock: () => performance.now(),
      random: Math.random,
      log: silentLogger(),
      metrics: client.metrics,
    });
    reflectors.push(reflector);
    reflector.start();
    return reflector;
  };

  it('keeps a cache equal to the server, its objects without managed fields', async () => {
    const { api } = client;
    const namespace = await makeNamespace();
    await api.create(CONFIG_MAP, note(namespace, 'before'));
    const { cache, synced } = reflect(namespace);
    await synced;
    expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(['before']);
    await api.create(CONFIG_MAP, note(namespace, 'after'));
    await until(() => cache.size === 2);
    await api.apply<Note>(CONFIG_MAP, note(namespace, 'after', 'changed'), { fieldManager: 'tests', force: true });
    await until(() => cache.get({ namespace, name: 'after' })?.data?.['text'] === 'changed');
    expect(cache.get({ namespace, name: 'after' })).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(cache.get({ namespace, name: 'after' })?.metadata).not.toHaveProperty('managedFields');
    await api.remove(CONFIG_MAP, { namespace, name: 'before' });
    await until(() => cache.size === 1);
  });

  it('watches metadata alone where that is enough, under a selector', async () => {
    const { api } = client;
    const namespace = await makeNamespace();
    const { cache, synced } = reflect(namespace, { metadataOnly: true, labelSelector: 'mine=yes' });
    await synced;
    const mine = { ...note(namespace, 'mine').metadata, labels: { mine: 'yes' } };
    await api.create(CONFIG_MAP, note(namespace, 'other'));
    await api.create(CONFIG_MAP, { ...note(namespace, 'mine'), metadata: mine });
    await until(() => cache.size === 1);
    expect(cache.list()[0]).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'mine', labels: { mine: 'yes' } } });
    expect(cache.list()[0]).not.toHaveProperty('data');
    await api.apply<Note>(
      CONFIG_MAP,
      { metadata: { namespace, name: 'mine', labels: { mine: 'no' } } },
      { fieldManager: 'tests', force: true },
    );
    await until(() => cache.size === 0);
  });

  it('goes on after the API server was killed and restarted', async () => {
    const { api } = client;
    const namespace = await makeNamespace();
    await api.create(CONFIG_MAP, note(namespace, 'stays'));
    await api.create(CONFIG_MAP, note(namespace, 'goes'));
    const { cache, synced, stalenessMs } = reflect(namespace);
    await synced;
    await plane.killApiServer();
    await sleep(1500);
    expect(stalenessMs()).toBeGreaterThan(1000);
    await plane.startApiServer();
    await api.remove(CONFIG_MAP, { namespace, name: 'goes' });
    await api.create(CONFIG_MAP, note(namespace, 'new'));
    await until(() => cache.get({ namespace, name: 'new' }) !== null && cache.size === 2);
    expect(
      cache
        .list()
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['new', 'stays']);
    // The server remembers nothing from before its start: who is further behind has to list.
    const behind = { namespace, resourceVersion: '1', timeoutSeconds: 300 };
    const read = async (): Promise<unknown> => {
      for await (const event of api.watch(CONFIG_MAP, behind, AbortSignal.timeout(20_000)))
        if (event.type !== 'OPENED') return event;
      return 'ended';
    };
    expect(isExpired(await read().catch((error: unknown) => error))).toBe(true);
  });
});
