import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeFakeClock } from '@tollgate/testkit';
import type { SocketTables } from './socket-tables.ts';
import { watchDirectConnections } from './watch-direct.ts';

const EVERY_MS = 60_000;

const setUp = () => {
  const clock = makeFakeClock();
  const logger = recordingLogger();
  const world = {
    addresses: ['1.1.1.1'],
    isUnknown: false,
    sockets: [] as readonly string[],
    tables: 'there' as 'there' | 'none' | 'failing',
    listening: [4100],
    reads: 0,
    resolved: 0,
    changes: 0,
  };
  const watch = watchDirectConnections({
    everyMs: EVERY_MS,
    targets: () => [{ host: 'api.openai.com', ports: [443] }],
    read: async (): Promise<SocketTables | null> => {
      world.reads += 1;
      if (world.tables === 'failing') throw new Error('permission denied');
      if (world.tables === 'none') return null;
      return {
        sockets: world.sockets.map((remoteAddress, index) => ({
          remoteAddress,
          remotePort: 443,
          inode: String(index),
        })),
        own: new Set<string>(),
        listening: new Set(world.listening),
      };
    },
    resolve: async () => {
      world.resolved += 1;
      if (world.isUnknown) throw new Error('ENOTFOUND');
      return world.addresses;
    },
    timers: clock.timers,
    clock: clock.now,
    logger,
    onChange: () => {
      world.changes += 1;
    },
  });
  return { watch, world, logger, turn: (turns = 1) => clock.advance(turns * EVERY_MS) };
};

describe('the look at connections past the proxy', () => {
  it('says nothing before it has looked, then that there are none', async () => {
    const { watch, world, turn } = setUp();
    expect(watch.found()).toBeNull();
    await turn();
    expect([watch.found(), world.changes]).toEqual([[], 1]);
    await turn();
    expect(world.changes).toBe(1);
    // Nobody in the pod dials anybody: no name is asked for.
    expect(world.resolved).toBe(0);
  });

  it('tells of a host once, and goes on saying so for five looks after the last connection', async () => {
    const { watch, world, logger, turn } = setUp();
    await turn();
    world.sockets = ['1.1.1.1', '1.1.1.1'];
    await turn(2);
    expect([watch.found(), watch.open(), world.changes]).toEqual([[{ host: 'api.openai.com', count: 2 }], 2, 2]);
    expect(logger.lines.filter(({ message }) => message.includes('past the proxy'))).toHaveLength(1);
    world.sockets = [];
    await turn(5);
    expect([watch.found()?.length, watch.open(), world.changes]).toEqual([1, 0, 2]);
    await turn();
    expect([watch.found(), world.changes]).toEqual([[], 3]);
  });

  it('knows a connection by an address that the name no longer means, or cannot be resolved to now', async () => {
    const { watch, world, turn } = setUp();
    world.sockets = ['1.1.1.1'];
    await turn();
    world.addresses = ['2.2.2.2'];
    await turn();
    expect(watch.open()).toBe(1);
    world.isUnknown = true;
    world.sockets = ['2.2.2.2'];
    await turn();
    expect(watch.open()).toBe(1);
    await turn(61);
    expect(watch.open()).toBe(0);
  });

  it('looks no more where there is nothing to look at, and on where reading fails, which the log says once', async () => {
    const none = setUp();
    none.world.tables = 'none';
    await none.turn(3);
    expect([none.world.reads, none.watch.found()]).toEqual([1, null]);
    const failing = setUp();
    failing.world.tables = 'failing';
    await failing.turn(3);
    expect([failing.world.reads, failing.logger.lines.length]).toEqual([3, 1]);
  });

  it.each([15001, 15008, 4140])(
    'looks no more where a mesh listens on %d, which dials for the proxy too',
    async (port) => {
      const { watch, world, logger, turn } = setUp();
      world.listening = [4100, port];
      world.sockets = ['1.1.1.1'];
      await turn(3);
      expect([world.reads, watch.found(), logger.lines.map(({ level }) => level)]).toEqual([1, null, ['info']]);
    },
  );

  it('ends when it is closed', async () => {
    const { watch, world, turn } = setUp();
    await turn();
    watch.close();
    await turn(3);
    expect(world.reads).toBe(1);
  });
});
