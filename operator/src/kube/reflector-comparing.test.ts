import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './kube-object.ts';
import { keepAlive, listOf, OLD, pod, setUpReflector as setUp } from './testing/reflector-set-up.ts';

describe('the reflector, comparing what it has with the server', () => {
  it('keeps what it knew of an object whose newer version cannot be taken in, and does not call that missed', async () => {
    const transform = (object: KubeObject): KubeObject => {
      if (object.metadata.labels?.['bad'] !== undefined) throw new Error('a field of a later version');
      return object;
    };
    const bad = pod('one', 11, { labels: { bad: 'yes' } });
    const { clock, script, names, start } = await setUp({ transform }, [pod('one', 1)]);
    await start();
    script.answerAlways(() => listOf(20, bad, pod('two', 12)));
    script.last().feed({ type: 'MODIFIED', object: bad });
    script.last().feed({ type: 'ADDED', object: pod('two', 12) });
    await keepAlive(clock, script, 620_000);
    expect([names(), script.watches.length]).toEqual([['one@1', 'two@12'], 1]);
    script.last().fail(OLD);
    await clock.advance(1000);
    expect(names()).toEqual(['one@1', 'two@12']);
  });

  it('finds out after ten minutes what no event told, counts it and lists again', async () => {
    const kept = [pod('same', 1), pod('gone', 2), pod('changed', 3)];
    const { clock, script, metrics, log, names, start } = await setUp({}, kept);
    await start();
    script.answerAlways(() => listOf(50, pod('same', 1), pod('changed', 44), pod('new', 45)));
    await keepAlive(clock, script, 530_000);
    expect(script.lists).toHaveLength(1);
    await keepAlive(clock, script, 40_000);
    expect(script.lists.slice(1)).toEqual([{ limit: 500, metadataOnly: true }, { limit: 500 }]);
    expect(names()).toEqual(['same@1', 'changed@44', 'new@45']);
    const page = await metrics.page();
    expect(page).toContain('tollgate_kube_missed_events_total{kind="Pod"} 3');
    expect(page).toContain('tollgate_kube_lists_total{kind="Pod",reason="missed"} 1');
    expect(page).toContain('tollgate_kube_watch_ends_total{kind="Pod",reason="missed"} 1');
    expect(log.lines).toContainEqual(expect.objectContaining({ fields: { count: 3 } }));
  });

  it('does not call missed what comes while it compares', async () => {
    const { clock, script, names, start } = await setUp({}, [pod('gone', 2), pod('changed', 3)]);
    await start();
    // The list is older than two of the events and newer than the third.
    script.answerAlways(() => listOf(50, pod('gone', 2), pod('changed', 3), pod('new', 45)));
    await keepAlive(clock, script, 541_000);
    expect(script.lists).toHaveLength(2);
    script.last().feed({ type: 'DELETED', object: pod('gone', 51) });
    script.last().feed({ type: 'MODIFIED', object: pod('changed', 52) });
    script.last().feed({ type: 'ADDED', object: pod('new', 45) });
    await keepAlive(clock, script, 60_000);
    expect([script.lists.length, names()]).toEqual([2, ['changed@52', 'new@45']]);
  });
});
