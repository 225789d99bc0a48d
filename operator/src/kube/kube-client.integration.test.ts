import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startFakeApiServer, type FakeApiServer } from '../testing/fake-api-server.ts';
import type { WatchEvent } from './kube-api.ts';
import { isConflict, isExpired, isNotFound, isUnreachable } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { clientOf, type TestClient } from './testing/client-of.ts';

interface Widget extends KubeObject {
  readonly spec?: { readonly size: number };
  readonly status?: { readonly ready: boolean };
}

const WIDGET: KubeKind = { group: 'test.dev', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const STORED = 'test.dev/v1/widgets';
const widget = (name: string, size = 1, namespace = 'a') => ({ metadata: { namespace, name }, spec: { size } });

const faultOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no fault',
    (error: unknown) => error,
  );

describe('the client', () => {
  let server: FakeApiServer;
  let client: TestClient;
  beforeEach(async () => {
    server = await startFakeApiServer();
    client = clientOf(server);
  });
  afterEach(async () => {
    client.close();
    await server.stop();
  });

  it('creates, reads, replaces and removes, and fills in the kind', async () => {
    const { api } = client;
    const made = await api.create<Widget>(WIDGET, widget('one'));
    expect(made).toMatchObject({ apiVersion: 'test.dev/v1', kind: 'Widget', metadata: { name: 'one' } });
    const changed = await api.replace<Widget>(WIDGET, { ...made, spec: { size: 2 } });
    expect((await api.get<Widget>(WIDGET, { namespace: 'a', name: 'one' }))?.spec).toEqual({ size: 2 });
    const stale = api.replace<Widget>(WIDGET, { ...made, spec: { size: 3 } });
    await expect(stale).rejects.toMatchObject({ name: 'KubeFault', status: 409, reason: 'Conflict' });
    await expect(api.create(WIDGET, widget('one'))).rejects.toMatchObject({
      reason: 'AlreadyExists',
      message: 'create Widget a/one: one already exists',
    });
    const other = api.remove(WIDGET, changed.metadata, { uid: 'another' });
    expect(isConflict(await faultOf(other))).toBe(true);
    await api.remove(WIDGET, changed.metadata);
    await api.remove(WIDGET, changed.metadata);
    expect(await api.get(WIDGET, changed.metadata)).toBeNull();
  });

  it('keeps nothing of a dry run', async () => {
    const { api } = client;
    await api.create(WIDGET, widget('one'), { dryRun: true });
    expect(await api.get(WIDGET, { namespace: 'a', name: 'one' })).toBeNull();
    const made = await api.create(WIDGET, widget('one'));
    await api.remove(WIDGET, made.metadata, { dryRun: true });
    expect(await api.get(WIDGET, made.metadata)).not.toBeNull();
  });

  it('applies a status alone, under its manager, and says when the object is no more', async () => {
    const { api } = client;
    await api.create<Widget>(WIDGET, widget('one'));
    const part = { metadata: { namespace: 'a', name: 'one', managedFields: [] }, status: { ready: true } };
    const options = { fieldManager: 'tests', force: true, subresource: 'status' } as const;
    const after = await api.apply<Widget>(WIDGET, part, options);
    expect([after.spec, after.status]).toEqual([{ size: 1 }, { ready: true }]);
    expect(server.requests.at(-1)).toBe(
      'PATCH /apis/test.dev/v1/namespaces/a/widgets/one/status?fieldManager=tests&force=true',
    );
    const missing = api.apply<Widget>(WIDGET, { metadata: { namespace: 'a', name: 'two' } }, options);
    expect(isNotFound(await faultOf(missing))).toBe(true);
  });

  it('lists page by page, in one namespace or in all, and metadata alone', async () => {
    const { api } = client;
    for (const name of ['one', 'two', 'three']) server.store.put(STORED, widget(name));
    server.store.put(STORED, widget('four', 1, 'b'));
    const first = await api.list<Widget>(WIDGET, { namespace: 'a', limit: 2 });
    expect([first.items.length, first.continue]).toEqual([2, expect.any(String)]);
    const second = await api.list<Widget>(WIDGET, { namespace: 'a', limit: 2, continue: first.continue ?? '' });
    expect([second.items.length, second.continue, second.resourceVersion]).toEqual([1, null, first.resourceVersion]);
    const all = await api.list<Widget>(WIDGET, { metadataOnly: true });
    expect([all.items.length, all.items.some(({ spec }) => spec !== undefined)]).toEqual([4, false]);
    server.faults.expirePages();
    expect(isExpired(await faultOf(api.list(WIDGET, { limit: 2, continue: first.continue ?? '' })))).toBe(true);
  });

  it('knows whether the server has a kind', async () => {
    expect(await client.api.serves(WIDGET)).toBe(false);
  });

  it('refuses a name that would address something else', async () => {
    const { api } = client;
    await expect(api.get(WIDGET, { namespace: 'a', name: '' })).rejects.toThrow('a name is needed');
    await expect(api.remove(WIDGET, { name: 'one' })).rejects.toThrow('a namespace is needed');
    expect(await api.get(WIDGET, { namespace: 'a', name: '../../b/widgets/x' })).toBeNull();
    expect(server.requests).toEqual(['GET /apis/test.dev/v1/namespaces/a/widgets/..%2F..%2Fb%2Fwidgets%2Fx']);
  });

  it('tells how long a busy server asks to stay away, and what a load balancer says in HTML', async () => {
    const { api, metrics } = client;
    server.faults.fail({ on: 'list', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 3 });
    await expect(api.list(WIDGET, {})).rejects.toMatchObject({ status: 429, retryAfterMs: 3000 });
    server.faults.fail({ on: 'list', status: 502, text: '<html>Bad gateway</html>' });
    await expect(api.list(WIDGET, {})).rejects.toMatchObject({
      status: 502,
      reason: '',
      message: 'list Widget: HTTP 502',
      retryAfterMs: null,
    });
    server.faults.fail({ on: 'list', status: 200, text: '<html>log in</html>' });
    await expect(api.list(WIDGET, {})).rejects.toMatchObject({ reason: 'NotJson' });
    server.faults.fail({ on: 'list', status: 200, text: '{}' });
    await expect(api.list(WIDGET, {})).rejects.toMatchObject({ reason: 'NotAList' });
    expect(await metrics.page()).toContain('rest_client_requests_total{code="429",method="GET"} 1');
  });

  it('gives up at its deadline, and when the caller does', async () => {
    const { api } = client;
    server.faults.slow(10_000);
    await expect(api.list(WIDGET, {}, { timeoutMs: 50 })).rejects.toMatchObject({
      status: 0,
      reason: 'DeadlineExceeded',
      message: 'list Widget: no answer within 50 ms',
    });
    const aborter = new AbortController();
    const asked = api.list(WIDGET, {}, { signal: aborter.signal });
    const why = new Error('enough');
    aborter.abort(why);
    await expect(asked).rejects.toBe(why);
    await expect(api.list(WIDGET, {}, { signal: aborter.signal })).rejects.toBe(why);
  });

  it('tells an unreachable server from one that refuses', async () => {
    const { api, metrics } = client;
    await server.down();
    expect(isUnreachable(await faultOf(api.list(WIDGET, {})))).toBe(true);
    expect(await metrics.page()).toContain('rest_client_requests_total{code="0",method="GET"} 1');
    await server.up();
    expect((await api.list(WIDGET, {})).items).toEqual([]);
  });

  it('asks again on a new connection when the kept one was closed meanwhile', async () => {
    const { api } = client;
    await api.list(WIDGET, {});
    // The answer came on a connection that both keep; a reset that the client has not seen yet breaks the next request.
    for (let i = 0; i < 20; i += 1) {
      server.faults.reset();
      await expect(api.list(WIDGET, {})).resolves.toMatchObject({ items: [] });
    }
  });

  const read = async (events: AsyncIterable<WatchEvent<Widget>>, count: number): Promise<readonly string[]> => {
    const seen: string[] = [];
    for await (const event of events) {
      seen.push(
        event.type === 'OPENED'
          ? 'OPENED'
          : `${event.type} ${event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.name}`,
      );
      if (seen.length >= count) break;
    }
    return seen;
  };
  const watch = (resourceVersion: string, signal = new AbortController().signal) =>
    client.api.watch<Widget>(WIDGET, { resourceVersion, timeoutSeconds: 300 }, signal);

  it('watches from a version on, over characters that fall between two packets', async () => {
    const from = `${server.store.version()}`;
    server.store.put(STORED, { ...widget('one'), spec: { note: 'ä€😀'.repeat(20_000) } });
    server.store.remove(STORED, 'a', 'one');
    const seen = await read(watch(from), 3);
    expect(seen).toEqual(['OPENED', 'ADDED one', 'DELETED one']);
    for await (const event of watch(from)) {
      if (event.type !== 'ADDED') continue;
      expect(event.object.spec).toEqual({ note: 'ä€😀'.repeat(20_000) });
      break;
    }
  });

  it('closes the connection when the reader has enough', async () => {
    expect(await read(watch(`${server.store.version()}`), 1)).toEqual(['OPENED']);
    while (server.openWatches() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('ends in good order, breaks, expires and is aborted, each told apart', async () => {
    const version = `${server.store.version()}`;
    const during = async (fault: () => void, signal?: AbortSignal): Promise<unknown> => {
      try {
        for await (const event of watch(version, signal)) if (event.type === 'OPENED') fault();
        return 'ended';
      } catch (error) {
        return error;
      }
    };
    expect(await during(() => server.faults.close())).toBe('ended');
    expect(await during(() => server.faults.reset())).toMatchObject({ status: 0, reason: 'Unreachable' });
    expect(await during(() => server.faults.cutLine())).toMatchObject({ status: 0, reason: 'Unreachable' });
    expect(isExpired(await during(() => server.faults.error(410, 'Expired')))).toBe(true);
    expect(await during(() => server.faults.error(500, 'InternalError'))).toMatchObject({ status: 500 });
    const aborter = new AbortController();
    expect(await during(() => aborter.abort('enough'), aborter.signal)).toBe('enough');
    server.store.put(STORED, widget('one'));
    server.store.compact();
    expect(isExpired(await during(() => undefined))).toBe(true);
    server.faults.fail({ on: 'watch', status: 200, text: '{"type":"ADDED"}\n' });
    expect(await during(() => undefined)).toMatchObject({ reason: 'NotAnEvent' });
    server.faults.fail({ on: 'watch', status: 200, text: 'no json\n' });
    expect(await during(() => undefined)).toMatchObject({ reason: 'NotAnEvent' });
  });

  it('takes a version ahead of the server for one that is of no use', async () => {
    expect(isExpired(await faultOf(read(watch('999999'), 1)))).toBe(true);
  });
});

describe('the client of a server that accepts and says nothing', () => {
  let mute: Server;
  beforeEach(async () => {
    mute = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => void mute.close());

  it('gives up at its deadline', async () => {
    const { port } = mute.address() as AddressInfo;
    const client = clientOf({ url: `http://127.0.0.1:${port}` });
    await expect(client.api.get(WIDGET, { namespace: 'a', name: 'x' }, { timeoutMs: 50 })).rejects.toMatchObject({
      reason: 'DeadlineExceeded',
    });
    client.close();
  });
});
