import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import type { OperatorDocument } from '@tollgate/store';
import { followDocuments } from './follow-documents.ts';

const setUp = () => {
  const kept = new Map<OperatorDocument['name'], OperatorDocument>();
  const taken: string[] = [];
  const due: { ms: number; act: () => void }[] = [];
  const logger = recordingLogger();
  let now = 0;
  let asked = 0;
  let reads = 0;
  const world = { isAway: false, takes: (_version: string): boolean | Error => true };
  const up = (): void => {
    if (world.isAway) throw new Error('the database is away');
  };
  const followed = followDocuments({
    store: {
      documentVersions: async () => {
        asked += 1;
        await Promise.resolve();
        up();
        return new Map([...kept].map(([name, { version }]) => [name, version]));
      },
      readDocument: async (name) => {
        reads += 1;
        await Promise.resolve();
        up();
        return kept.get(name) ?? null;
      },
    },
    take: async ({ version }) => {
      await Promise.resolve();
      const taking = world.takes(version);
      if (taking instanceof Error) throw taking;
      if (taking) taken.push(version);
      return taking;
    },
    clock: () => now,
    timers: {
      after: (ms, act) => {
        const entry = { ms, act };
        due.push(entry);
        return () => void due.splice(due.indexOf(entry), 1);
      },
    },
    logger,
  });
  return {
    followed,
    world,
    taken,
    logger,
    due,
    asked: () => asked,
    reads: () => reads,
    tell: (version: string) => kept.set('resources', { name: 'resources', version, document: '{}' }),
    advance: (ms: number) => {
      now += ms;
    },
    /** The timer that is due, and all that it starts. */
    tick: async () => {
      due.shift()?.act();
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    },
  };
};

describe('what the operator told', () => {
  it('is taken over once a version, and looked for on and on', async () => {
    const { followed, taken, tell, tick, reads, due } = setUp();
    followed.start();
    await tick();
    expect([taken, reads()]).toEqual([[], 0]);
    tell('one');
    await tick();
    await tick();
    tell('two');
    await tick();
    expect([taken, reads(), followed.version('resources')]).toEqual([['one', 'two'], 2, 'two']);
    expect(due.map(({ ms }) => ms <= 500)).toEqual([true]);
    followed.stop();
    expect(due).toEqual([]);
  });

  it('stays in force while the database is away, which the log says once, and is taken over afterwards', async () => {
    const { followed, world, taken, tell, tick, logger } = setUp();
    tell('one');
    followed.start();
    await tick();
    world.isAway = true;
    tell('two');
    await tick();
    await tick();
    expect([taken, followed.version('resources')]).toEqual([['one'], 'one']);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    world.isAway = false;
    await tick();
    expect(taken).toEqual(['one', 'two']);
    expect(logger.lines.at(-1)?.message).toContain('again');
  });

  it('that this version cannot read is read once, said once, and replaced by the next', async () => {
    const { followed, world, taken, tell, tick, reads, logger } = setUp();
    world.takes = (version) => version !== 'from the future';
    tell('one');
    followed.start();
    await tick();
    tell('from the future');
    await tick();
    await tick();
    expect([taken, reads(), followed.version('resources')]).toEqual([['one'], 2, 'one']);
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    tell('two');
    await tick();
    expect(taken).toEqual(['one', 'two']);
  });

  it('that could not be put in force is tried again', async () => {
    const { followed, world, taken, tell } = setUp();
    world.takes = () => new Error('the limits cannot be written down');
    tell('one');
    await expect(followed.look()).rejects.toThrow('written down');
    world.takes = () => true;
    await followed.look();
    expect(taken).toEqual(['one']);
  });

  it('is in force when a look that began after it was told is over, however many look', async () => {
    const { followed, taken, tell, asked } = setUp();
    const first = followed.look();
    tell('one');
    const later = [followed.look(), followed.look(), followed.look()];
    await Promise.all([first, ...later]);
    expect([taken, asked()]).toEqual([['one'], 2]);
  });

  it('is glanced at no more often than is of use, and a glance throws nothing', async () => {
    const { followed, world, asked, advance } = setUp();
    await followed.glance();
    await followed.glance();
    expect(asked()).toBe(1);
    advance(100);
    world.isAway = true;
    await followed.glance();
    expect(asked()).toBe(2);
  });
});
