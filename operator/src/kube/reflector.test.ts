import { describe, expect, it } from '@jest/globals';
import { KubeFault } from './kube-fault.ts';
import { measureReflectors } from './reflector.ts';
import { AWAY, listOf, OLD, pod, setUpReflector as setUp } from './testing/reflector-set-up.ts';

describe('the reflector', () => {
  it('lists in pages of 500, tells that it has synced, and watches from there on with a time of its own', async () => {
    const { clock, script, reflector, names, start } = await setUp({ random: () => 0.5 });
    script.answer(() => ({ items: [pod('one', 1)], resourceVersion: '10', continue: 'more' }));
    script.answer(() => listOf(10, pod('two', 2)));
    let isSynced = false;
    void reflector.synced.then(() => (isSynced = true));
    await clock.advance(0);
    expect([isSynced, reflector.hasSynced()]).toEqual([false, false]);
    await start();
    expect([isSynced, reflector.hasSynced(), names()]).toEqual([true, true, ['one@1', 'two@2']]);
    expect(script.lists).toEqual([{ limit: 500 }, { limit: 500, continue: 'more' }]);
    expect(script.last().query).toEqual({ resourceVersion: '10', timeoutSeconds: 450 });
  });

  it('reads everything in one piece when the pages have expired', async () => {
    const { script, names, start } = await setUp();
    script.answer(() => ({ items: [pod('one', 1)], resourceVersion: '10', continue: 'more' }));
    script.answer(() => {
      throw OLD;
    });
    script.answer(() => listOf(11, pod('two', 2)));
    await start();
    expect([script.lists, names()]).toEqual([[{ limit: 500 }, { limit: 500, continue: 'more' }, {}], ['two@2']]);
  });

  it('keeps up with what comes, and gives every object its kind and no managed fields', async () => {
    const { clock, script, reflector, names, start } = await setUp({}, [pod('gone', 1)]);
    await start();
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'yes' };
    script.last().feed({ type: 'ADDED', object: pod('new', 11, { managedFields: [{}], annotations }) });
    script.last().feed({ type: 'MODIFIED', object: pod('new', 12, { managedFields: [{}], annotations }) });
    script.last().feed({ type: 'DELETED', object: pod('gone', 13) });
    await clock.advance(0);
    expect(names()).toEqual(['new@12']);
    expect(reflector.cache.get({ namespace: 'a', name: 'new' })).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'a', name: 'new', uid: 'new', resourceVersion: '12', annotations: { mine: 'yes' } },
    });
  });

  /** How long it stayed away each time. */
  const waitsAfter = async (fault: KubeFault, times: number, { clock, script }: Awaited<ReturnType<typeof setUp>>) => {
    const waits: number[] = [];
    for (let i = 0; i < times; i += 1) {
      script.last().fail(fault);
      const count = script.watches.length;
      const from = clock.now();
      while (script.watches.length === count) await clock.advance(100);
      waits.push(clock.now() - from);
    }
    return waits;
  };

  it('goes on from the last event or bookmark after a broken connection, later each time and at most after 5 s', async () => {
    const world = await setUp();
    const { script } = world;
    await world.start();
    script.last().feed({ type: 'ADDED', object: pod('one', 11) });
    script.last().feed({ type: 'BOOKMARK', resourceVersion: '40' });
    expect(await waitsAfter(AWAY, 6, world)).toEqual([800, 1600, 3200, 5000, 5000, 5000]);
    expect(script.last().query.resourceVersion).toBe('40');
    expect(script.lists).toHaveLength(1);
  });

  it('leaves a server that refuses alone for up to 30 s', async () => {
    const world = await setUp();
    await world.start();
    const forbidden = new KubeFault({ status: 403, reason: 'Forbidden', message: 'watch Pod: pods is forbidden' });
    const waits = await waitsAfter(forbidden, 8, world);
    expect(waits).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('begins with the short wait again once a watch has brought something', async () => {
    const { clock, script, start } = await setUp();
    await start();
    for (let i = 0; i < 4; i += 1) {
      script.last().fail(AWAY);
      await clock.advance(30_000);
    }
    script.last().feed({ type: 'OPENED' });
    script.last().feed({ type: 'ADDED', object: pod('one', 11) });
    script.last().end();
    const count = script.watches.length;
    await clock.advance(800);
    expect(script.watches).toHaveLength(count + 1);
  });

  it.each([
    ['the answer 410', false, OLD],
    ['an ERROR event of 410', true, OLD],
    ['an ERROR event of anything', true, new KubeFault({ status: 500, reason: 'InternalError', message: 'etcd' })],
    [
      'a version ahead of a restored database',
      false,
      new KubeFault({ status: 504, reason: 'Timeout', message: 'x', causes: ['ResourceVersionTooLarge'] }),
    ],
  ])('lists again after %s', async (_what, isInStream, error) => {
    const { clock, script, names, start } = await setUp({}, [pod('gone', 1), pod('stays', 2)]);
    await start();
    if (!isInStream) {
      script.last().end();
      await clock.advance(800);
    }
    script.answerAlways(() => listOf(90, pod('stays', 2), pod('new', 80)));
    script.last().fail(error);
    await clock.advance(30_000);
    expect(script.lists).toHaveLength(2);
    expect([names(), script.last().query.resourceVersion]).toEqual([['stays@2', 'new@80'], '90']);
  });

  it('does not list again for a server that starts or is overloaded, and waits as long as it asks', async () => {
    const { clock, script, start } = await setUp();
    await start();
    script.last().end();
    await clock.advance(800);
    script.last().fail(new KubeFault({ status: 429, reason: 'TooManyRequests', message: 'x', retryAfterMs: 7000 }));
    await clock.advance(6999);
    expect(script.watches).toHaveLength(2);
    await clock.advance(1);
    script.last().fail(new KubeFault({ status: 503, reason: 'ServiceUnavailable', message: 'x' }));
    await clock.advance(30_000);
    expect([script.watches.length, script.lists.length]).toEqual([4, 1]);
  });

  it('tries again to list, with waits between, until the server answers', async () => {
    const { clock, script, log, reflector, names } = await setUp({}, [pod('one', 1)]);
    for (let i = 0; i < 3; i += 1) {
      script.answer(() => {
        throw new KubeFault({ status: 403, reason: 'Forbidden', message: 'list Pod: pods is forbidden' });
      });
    }
    reflector.start();
    await clock.advance(800 + 1600 + 3200 - 1);
    expect([reflector.hasSynced(), script.lists.length]).toEqual([false, 3]);
    await clock.advance(1);
    expect([reflector.hasSynced(), names()]).toEqual([true, ['one@1']]);
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual(
      Array.from({ length: 3 }, () => 'list failed'),
    );
  });

  it('takes 90 s without a word for a dead connection, and opens another one from where it was', async () => {
    const { clock, script, start } = await setUp();
    await start();
    await clock.advance(60_000);
    script.last().feed({ type: 'BOOKMARK', resourceVersion: '20' });
    await clock.advance(89_999);
    expect(script.watches).toHaveLength(1);
    await clock.advance(1 + 800);
    expect([script.watches.length, script.watches[0]!.isOver(), script.lists.length]).toEqual([2, true, 1]);
    expect(script.last().query.resourceVersion).toBe('20');
  });

  it('says how long it has heard nothing', async () => {
    const { clock, script, metrics, reflector, start } = await setUp({}, [pod('one', 1)]);
    const other = await setUp({}, [pod('x', 1), pod('y', 1)]);
    await other.start();
    measureReflectors(metrics, [reflector, other.reflector]);
    await start();
    await clock.advance(50_000);
    script.last().feed({ type: 'BOOKMARK', resourceVersion: '20' });
    await clock.advance(30_000);
    expect([reflector.stalenessMs(), reflector.idleMs()]).toEqual([30_000, 30_000]);
    const page = await metrics.page();
    expect(page).toContain('tollgate_kube_watch_staleness_seconds{kind="Pod"} 30');
    expect(page).toContain('tollgate_kube_objects{kind="Pod"} 3');
  });

  it('is not idle while the server is away, for it goes on trying', async () => {
    const { clock, script, reflector } = await setUp();
    script.answerAlways(() => {
      throw AWAY;
    });
    reflector.start();
    await clock.advance(3_600_000);
    expect([reflector.stalenessMs(), reflector.idleMs() <= 30_000]).toEqual([3_600_000, true]);
  });

  it('goes on when a listener throws, and tells the others', async () => {
    const { clock, script, log, reflector, names, start } = await setUp({}, [pod('one', 1)]);
    const seen: string[] = [];
    reflector.cache.onChange(() => {
      throw new Error('mine');
    });
    reflector.cache.onChange(({ after }) => seen.push(after?.metadata.name ?? ''));
    await start();
    script.last().feed({ type: 'ADDED', object: pod('two', 11) });
    await clock.advance(0);
    expect([seen, names()]).toEqual([
      ['one', 'two'],
      ['one@1', 'two@11'],
    ]);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    expect(script.last().isOver()).toBe(false);
  });

  it('stops: no timer stays, the watch ends, and who waits for the first list is told', async () => {
    const { clock, script, reflector, start } = await setUp();
    await start();
    await reflector.stop();
    expect([script.last().isOver(), clock.pending()]).toEqual([true, 0]);
    const never = await setUp();
    never.script.answerAlways(() => {
      throw AWAY;
    });
    never.reflector.start();
    await never.clock.advance(2000);
    await never.reflector.stop();
    await expect(never.reflector.synced).rejects.toThrow('stopped before its first list');
    expect(never.clock.pending()).toBe(0);
  });
});
