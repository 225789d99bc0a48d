import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FollowedPolicy } from '@tollgate/ledger';
import type { Store } from './store.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const subject = (workload: string) => ({ namespace: 'shop', workload, labels: { app: workload }, team: 'shop' });
const NOTHING = { connected: [], gone: [], running: [] };

describe.each(DATABASES)('connected proxies, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
  });
  afterEach(() => store.close());

  const connect = (server: string, ...instances: readonly string[]) =>
    store.noteConnected(server, {
      ...NOTHING,
      connected: instances.map((instance) => ({ instance, subject: subject('web') })),
    });
  const run = (server: string, instance: string, snapshot: string) =>
    store.noteConnected(server, { ...NOTHING, running: [{ instance, snapshot, direct: null }] });
  const names = async () => (await store.connectedProxies()).map(({ instance }) => instance);

  it('are those of all servers, with what they run, whichever server they said it to', async () => {
    await connect('a', 'one');
    await connect('b', 'two');
    await run('b', 'one', 'v1');
    expect(await store.connectedProxies()).toEqual([
      { instance: 'one', subject: subject('web'), snapshot: 'v1', direct: null, callers: null },
      { instance: 'two', subject: subject('web'), snapshot: null, direct: null, callers: null },
    ]);
    await run('a', 'three', 'v1');
    expect(await names()).toEqual(['one', 'two']);
    await connect('a', 'three');
    expect((await store.connectedProxies()).find(({ instance }) => instance === 'three')?.snapshot).toBe('v1');
  });

  it('say what they found past them, and no longer when they cease to say', async () => {
    await connect('a', 'one');
    const say = async (direct: readonly { readonly host: string; readonly count: number }[] | null) => {
      await store.noteConnected('b', { ...NOTHING, running: [{ instance: 'one', snapshot: 'v1', direct }] });
      return (await store.connectedProxies())[0]?.direct;
    };
    expect(await say([])).toEqual([]);
    expect(await say([{ host: 'api.openai.com', count: 3 }])).toEqual([{ host: 'api.openai.com', count: 3 }]);
    expect(await say(null)).toBeNull();
  });

  it('say by whose policies they decide where they are gateways, which stands until they say so anew', async () => {
    await connect('a', 'gateway');
    const caller = { namespace: 'shop', serviceAccount: 'ci', pod: { name: 'web-1', uid: 'u1' } };
    const say = async (stated: { readonly callers?: readonly FollowedPolicy[] }) => {
      const running = [{ instance: 'gateway', snapshot: 'v1', direct: null, ...stated }];
      await store.noteConnected('b', { ...NOTHING, running });
      return (await store.connectedProxies())[0]?.callers;
    };
    expect(await say({})).toBeNull();
    expect(await say({ callers: [{ caller, snapshot: 'one' }] })).toEqual([{ caller, snapshot: 'one' }]);
    expect(await say({})).toEqual([{ caller, snapshot: 'one' }]);
    expect(await say({ callers: [] })).toEqual([]);
  });

  it('are on the server that said so last: the former one, which says later that they went, is not heard', async () => {
    await connect('a', 'one');
    await connect('b', 'one');
    await store.noteConnected('a', { ...NOTHING, gone: ['one'] });
    expect(await names()).toEqual(['one']);
    await store.noteConnected('b', { ...NOTHING, gone: ['one'] });
    expect(await names()).toEqual([]);
  });

  it('go with their server, when it says so, and when it is silent', async () => {
    expect(await connect('a', 'one')).toBe(false);
    expect(await connect('b', 'two')).toBe(false);
    expect(await connect('b')).toBe(true);
    await store.forgetServer('a');
    expect(await names()).toEqual(['two']);
    await databases.run(`UPDATE server_process SET seen_at = now() - interval '21 seconds'`);
    expect(await names()).toEqual([]);
    await store.sweepConnected();
    // What it said before is gone, so it has to be told that.
    expect(await store.noteConnected('b', NOTHING)).toBe(false);
    expect(await names()).toEqual([]);
  });

  it('are forgotten an hour after their last stream', async () => {
    await connect('a', 'one', 'two');
    await store.noteConnected('a', { ...NOTHING, gone: ['one', 'two'] });
    await databases.run(`UPDATE connected_proxy SET said_at = now() - interval '61 minutes' WHERE instance = 'one'`);
    await store.sweepConnected();
    await databases.run(
      `DO $$ BEGIN IF (SELECT string_agg(instance, ',') FROM connected_proxy) <> 'two' THEN RAISE 'not swept'; END IF; END $$`,
    );
  });

  it('may be said by two servers at once, in any order, over and over', async () => {
    const many = Array.from({ length: 40 }, (_, n) => `proxy-${String(n)}`);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([connect('a', ...many), connect('b', ...many.toReversed())]);
      await Promise.all([
        store.noteConnected('a', { ...NOTHING, gone: many.toReversed() }),
        store.noteConnected('b', {
          ...NOTHING,
          running: many.map((instance) => ({ instance, snapshot: 'v', direct: [] })),
        }),
      ]);
    }
    await connect('b', ...many);
    expect(await names()).toHaveLength(40);
  });
});
