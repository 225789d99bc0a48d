/** Writes, leadership and events against a real API server: what the fake one only imitates. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { silentLogger, systemTimers } from '@tollgate/runtime';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.ts';
import { makeEventRecorder } from './event-recorder.ts';
import type { ListQuery } from './kube-api.ts';
import { isConflict } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { EVENT_KIND, type KubeEvent } from './kube-event.ts';
import { LEASE_KIND, type Lease } from './lease.ts';
import { makeLeaderElector, type LeaderElector } from './leader-elector.ts';
import { listAll } from './list-all.ts';
import { makeStatusWriter } from './status-writer.ts';
import { clientOf, type TestClient } from './testing/client-of.ts';

interface Note extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
interface Account extends KubeObject {
  readonly status?: unknown;
}

const CONFIG_MAP: KubeKind = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const NAMESPACE: KubeKind = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
/** A kind with a status that no controller of this control plane writes. */
const DEPLOYMENT: KubeKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const WIDGET: KubeKind = { group: 'test.dev', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const CRD: KubeKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const WIDGETS: KubeObject & { readonly spec: unknown } = {
  metadata: { name: 'widgets.test.dev' },
  spec: {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const UNKNOWN: KubeKind = { group: 'nobody.test', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true };

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await sleep(20);
};
const faultOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no fault',
    (error: unknown) => error,
  );

describe('against a real API server', () => {
  let plane: ControlPlane;
  let client: TestClient;
  const electors: LeaderElector[] = [];
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
    await Promise.all(electors.splice(0).map((elector) => elector.stop()));
  });

  const makeNamespace = async (): Promise<string> => {
    namespaces += 1;
    const name = `kube-${namespaces}`;
    await client.api.create(NAMESPACE, { metadata: { name } });
    return name;
  };
  const note = (namespace: string, name: string, text = 'x'): Note => ({
    metadata: { namespace, name },
    data: { text },
  });
  const installWidgets = async (): Promise<void> => {
    await client.api.create(CRD, WIDGETS);
    await until(async () => {
      const found = await faultOf(client.api.list(WIDGET, {}));
      return found === 'no fault';
    });
  };
  const deployment = (namespace: string, name: string): KubeObject & { readonly spec: unknown } => ({
    metadata: { namespace, name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'none' }] } },
    },
  });

  it('knows who asks, and which kinds there are', async () => {
    const { api } = client;
    expect([await api.serves(DEPLOYMENT), await api.serves(CONFIG_MAP), await api.serves(UNKNOWN)]).toEqual([
      true,
      true,
      false,
    ]);
    const review = { group: 'authorization.k8s.io', version: 'v1', kind: 'SelfSubjectAccessReview' };
    const kind = { ...review, plural: 'selfsubjectaccessreviews', namespaced: false };
    const spec = { resourceAttributes: { verb: 'delete', resource: 'nodes' } };
    type Review = KubeObject & { readonly spec: object; readonly status?: { readonly allowed: boolean } };
    const answer = await api.create<Review>(kind, { metadata: { name: '' }, spec });
    expect(answer.status?.allowed).toBe(true);
  });

  it('creates, replaces under a version and removes under a uid, with conflicts told as such', async () => {
    const { api } = client;
    const namespace = await makeNamespace();
    const made = await api.create<Note>(CONFIG_MAP, note(namespace, 'one'));
    await api.replace<Note>(CONFIG_MAP, { ...made, data: { text: 'y' } });
    const stale = await faultOf(api.replace<Note>(CONFIG_MAP, { ...made, data: { text: 'z' } }));
    expect([isConflict(stale), stale]).toEqual([true, expect.objectContaining({ reason: 'Conflict' })]);
    const taken = await faultOf(api.create(CONFIG_MAP, note(namespace, 'one')));
    expect(taken).toMatchObject({ status: 409, reason: 'AlreadyExists' });
    const other = await faultOf(api.remove(CONFIG_MAP, made.metadata, { uid: 'another' }));
    expect(isConflict(other)).toBe(true);
    await api.remove(CONFIG_MAP, made.metadata, { dryRun: true });
    expect((await api.get<Note>(CONFIG_MAP, made.metadata))?.data).toEqual({ text: 'y' });
    await api.remove(CONFIG_MAP, made.metadata, { propagation: 'Background' });
    await api.remove(CONFIG_MAP, made.metadata);
    expect(await api.get(CONFIG_MAP, made.metadata)).toBeNull();
  });

  it('reads more than a page', async () => {
    const namespace = await makeNamespace();
    const names = Array.from({ length: 510 }, (_, i) => `note-${i}`);
    for (let i = 0; i < names.length; i += 30) {
      const part = names.slice(i, i + 30);
      await Promise.all(part.map((name) => client.api.create(CONFIG_MAP, note(namespace, name))));
    }
    const queries: ListQuery[] = [];
    const api = {
      list: <T extends KubeObject>(...[kind, query, options]: Parameters<TestClient['api']['list']>) => {
        queries.push(query);
        return client.api.list<T>(kind, query, options);
      },
    };
    const signal = new AbortController().signal;
    const selection = { namespace, metadataOnly: true };
    const keep = (object: Note): Note => object;
    const { items } = await listAll<Note, Note>({ api, kind: CONFIG_MAP, selection, signal, keep });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([...names].sort());
    expect([queries.length, items.some(({ data }) => data !== undefined)]).toEqual([2, false]);
  });

  it.each(['a kind of the server', 'a custom kind'])(
    'writes the status of %s once, for the object it has seen',
    async (which) => {
      const { api, metrics } = client;
      const namespace = await makeNamespace();
      const isCustom = which === 'a custom kind';
      if (isCustom) await installWidgets();
      const kind = isCustom ? WIDGET : DEPLOYMENT;
      const target = isCustom ? { metadata: { namespace, name: 'web' } } : deployment(namespace, 'web');
      const writer = makeStatusWriter({ api, fieldManager: 'tests', metrics });
      const made: Account = await api.create(kind, target);
      const read = async (): Promise<Account> => {
        const found = await api.get<Account>(kind, made.metadata);
        if (found === null) throw new Error('gone');
        return found;
      };
      expect(await writer.write(kind, made, { replicas: 2, observedGeneration: 1 })).toBe('written');
      const seen = await read();
      expect(seen.status).toEqual({ replicas: 2, observedGeneration: 1 });
      expect(await writer.write(kind, seen, { observedGeneration: 1, replicas: 2 })).toBe('unchanged');
      expect(await writer.write(kind, seen, { replicas: 3 })).toBe('written');
      expect((await read()).status).toEqual({ replicas: 3 });
      // What the server would not change it does not count as a write either.
      expect(await writer.write(kind, { metadata: (await read()).metadata }, { replicas: 3 })).toBe('unchanged');
      await api.remove(kind, made.metadata);
      expect(await writer.write(kind, seen, { replicas: 4 })).toBe('gone');
      await api.create(kind, target);
      expect(await writer.write(kind, seen, { replicas: 4 })).toBe('gone');
      if (!isCustom) expect((await read()).status).toEqual({});
    },
  );

  it('writes events that kubectl shows, and counts those that come again', async () => {
    const { api, metrics } = client;
    const namespace = await makeNamespace();
    const target = await api.create<Note>(CONFIG_MAP, note(namespace, 'target'));
    const recorder = makeEventRecorder({
      api,
      component: 'tollgate.dev/operator',
      instance: 'operator-1',
      timers: systemTimers,
      clock: () => performance.now(),
      wallClock: Date.now,
      random: Math.random,
      log: silentLogger(),
      metrics,
    });
    const regarding = { ...target, apiVersion: 'v1', kind: 'ConfigMap' };
    for (let i = 0; i < 3; i += 1)
      recorder.record({
        regarding,
        type: 'Warning',
        reason: 'BudgetExceeded',
        action: 'Reconcile',
        note: 'it is full',
      });
    await recorder.stop(20_000);
    const { items } = await api.list<KubeEvent>(EVENT_KIND, { namespace });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ reason: 'BudgetExceeded', note: 'it is full', series: { count: 3 } });
    const shown = await plane.kubectl(['describe', 'configmap', 'target', '-n', namespace]);
    expect(shown).toMatch(/Warning\s+BudgetExceeded\s.*it is full/);
  });

  it('lets one of two lead, and the other when that one stops', async () => {
    const { api, metrics } = client;
    const namespace = await makeNamespace();
    const seen: string[] = [];
    const make = (identity: string): LeaderElector => {
      const elector = makeLeaderElector({
        api,
        namespace,
        name: 'operator',
        identity,
        timers: systemTimers,
        clock: () => performance.now(),
        wallClock: Date.now,
        random: Math.random,
        log: silentLogger(),
        metrics,
        retryMs: 200,
      });
      electors.push(elector);
      elector.run({ onLeading: () => seen.push(identity), onLost: () => seen.push(`${identity} lost`) });
      return elector;
    };
    const first = make('first');
    await until(() => first.isLeading());
    const second = make('second');
    await sleep(600);
    expect([first.isLeading(), second.isLeading()]).toEqual([true, false]);
    await first.stop();
    await until(() => second.isLeading());
    expect(seen).toEqual(['first', 'second']);
    const lease = await api.get<Lease>(LEASE_KIND, { namespace, name: 'operator' });
    expect(lease?.spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1, leaseDurationSeconds: 30 });
    await second.stop();
    const free = await api.get<Lease>(LEASE_KIND, { namespace, name: 'operator' });
    expect(free?.spec?.holderIdentity).toBeUndefined();
  });
});
