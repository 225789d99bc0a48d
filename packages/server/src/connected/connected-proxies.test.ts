import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import type { ConnectedNews } from '@tollgate/store';
import { connectedEverywhere } from './connected-proxies.ts';

const subject = (workload: string) => ({ namespace: 'shop', workload, labels: {}, team: 'shop' });

const setUp = () => {
  const notes: ConnectedNews[] = [];
  const done: string[] = [];
  const due: (() => void)[] = [];
  const logger = recordingLogger();
  const world = { here: new Map<string, string>(), isAway: false, isKnown: true };
  let now = 0;
  const connected = connectedEverywhere({
    store: {
      noteConnected: async (_server, news) => {
        await Promise.resolve();
        if (world.isAway) throw new Error('the database is away');
        notes.push(news);
        const { isKnown } = world;
        world.isKnown = true;
        return isKnown;
      },
      connectedProxies: () => Promise.resolve([]),
      sweepConnected: async () => {
        await Promise.resolve();
        done.push('swept');
      },
      forgetServer: async (server) => {
        await Promise.resolve();
        done.push(`forgot ${server}`);
      },
    },
    server: 'a',
    here: () => [...world.here].map(([instance, workload]) => ({ instance, subject: subject(workload) })),
    clock: () => now,
    timers: {
      after: (_ms, act) => {
        due.push(act);
        return () => void due.splice(due.indexOf(act), 1);
      },
    },
    logger,
  });
  return {
    connected,
    world,
    notes,
    done,
    due,
    logger,
    advance: (ms: number) => {
      now += ms;
    },
    tick: async () => {
      due.shift()?.();
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    },
  };
};

describe('connected proxies', () => {
  it('are written down when they change, and the server now and then', async () => {
    const { connected, world, notes, done, tick, advance } = setUp();
    world.here.set('one', 'web');
    connected.start();
    await tick();
    await tick();
    expect(notes).toEqual([{ connected: [{ instance: 'one', subject: subject('web') }], gone: [], running: [] }]);
    world.here.set('one', 'cart');
    connected.runs('other', { snapshot: 'v1', direct: null });
    await tick();
    expect(notes.at(-1)).toEqual({
      connected: [{ instance: 'one', subject: subject('cart') }],
      gone: [],
      running: [{ instance: 'other', snapshot: 'v1', direct: null }],
    });
    world.here.clear();
    await tick();
    expect(notes.at(-1)).toEqual({ connected: [], gone: ['one'], running: [] });
    const before = notes.length;
    await tick();
    expect(notes).toHaveLength(before);
    advance(5_000);
    await tick();
    expect(notes.at(-1)).toEqual({ connected: [], gone: [], running: [] });
    expect(done).toEqual(['swept', 'swept']);
  });

  it('are said again when the database was away, with what was said meanwhile; the log says so once', async () => {
    const { connected, world, notes, tick, logger } = setUp();
    connected.start();
    world.isAway = true;
    world.here.set('one', 'web');
    connected.runs('one', { snapshot: 'v1', direct: null });
    await tick();
    connected.runs('one', { snapshot: 'v2', direct: [] });
    await tick();
    expect([notes.length, logger.lines.length]).toEqual([0, 1]);
    world.isAway = false;
    await tick();
    expect(notes).toEqual([
      {
        connected: [{ instance: 'one', subject: subject('web') }],
        gone: [],
        running: [{ instance: 'one', snapshot: 'v2', direct: [] }],
      },
    ]);
  });

  it('stand by what they said of callers, whatever else they say before it is written down', async () => {
    const { connected, world, notes, tick } = setUp();
    const callers = (snapshot: string) => [
      { caller: { namespace: 'shop', serviceAccount: 'ci', pod: null }, snapshot },
    ];
    connected.start();
    connected.runs('gateway', { snapshot: 'v1', direct: null, callers: callers('one') });
    connected.runs('gateway', { snapshot: 'v2', direct: null });
    world.isAway = true;
    await tick();
    connected.runs('gateway', { snapshot: 'v3', direct: null });
    world.isAway = false;
    await tick();
    expect(notes.at(-1)?.running).toEqual([
      { instance: 'gateway', snapshot: 'v3', direct: null, callers: callers('one') },
    ]);
    connected.runs('gateway', { snapshot: 'v3', direct: null, callers: callers('two') });
    await tick();
    expect(notes.at(-1)?.running).toMatchObject([{ callers: callers('two') }]);
  });

  it('are all said anew where the server was taken for gone', async () => {
    const { connected, world, notes, tick, advance } = setUp();
    connected.start();
    world.here.set('one', 'web');
    await tick();
    world.isKnown = false;
    advance(5_000);
    await tick();
    expect(notes.slice(1).map(({ connected: said }) => said.map(({ instance }) => instance))).toEqual([[], ['one']]);
  });

  it('are written down before they are counted, and taken off when the server stops', async () => {
    const { connected, world, notes, done, due } = setUp();
    connected.start();
    world.here.set('one', 'web');
    await connected.all();
    expect(notes).toHaveLength(1);
    await connected.stop();
    expect([done.at(-1), due.length]).toEqual(['forgot a', 0]);
  });
});
