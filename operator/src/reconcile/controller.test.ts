import { describe, expect, it } from '@jest/globals';
import { makeMetrics } from '@tollgate/runtime';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeFakeClock } from '@tollgate/testkit';
import { makeController, measureControllers, type Reconcile, type ReconcileResult } from './controller.ts';
import { RECONCILE_METRICS } from './metrics.ts';

interface Run {
  readonly key: string;
  readonly at: number;
  readonly signal: AbortSignal;
  readonly resolve: (result?: ReconcileResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Each reconcile waits until the test ends it, or does what `act` says. */
const setUp = ({ workers = 2, act }: { workers?: number; act?: Reconcile } = {}) => {
  const clock = makeFakeClock();
  const log = recordingLogger();
  const metrics = makeMetrics(RECONCILE_METRICS, { processMetrics: false });
  const runs: Run[] = [];
  const controller = makeController({
    name: 'budgets',
    reconcile: (key, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReconcileResult | undefined>();
      runs.push({ key, at: clock.now(), signal, resolve, reject });
      return act === undefined ? promise : act(key, signal);
    },
    workers,
    timers: clock.timers,
    clock: clock.now,
    random: () => 0,
    log,
    metrics,
  });
  const keys = (): readonly string[] => runs.map(({ key }) => key);
  return { clock, controller, log, metrics, runs, keys };
};

describe('a controller', () => {
  it('works on no more keys at a time than it has workers, and on what came before it was started', async () => {
    const { clock, controller, runs, keys } = setUp();
    for (const key of ['a', 'b', 'c']) controller.enqueue(key);
    await clock.advance(0);
    expect(keys()).toEqual([]);
    controller.start();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'b']);
    runs[0]!.resolve();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'b', 'c']);
  });

  it('works on a key once for all that comes in one turn', async () => {
    const { clock, controller, keys, runs } = setUp();
    controller.start();
    for (let i = 0; i < 100; i += 1) controller.enqueue('a');
    await clock.advance(0);
    runs[0]!.resolve();
    await clock.advance(1000);
    expect(keys()).toEqual(['a']);
  });

  it('never works on one key twice at a time, and again afterwards when it came meanwhile', async () => {
    const { clock, controller, keys, runs } = setUp();
    controller.start();
    controller.enqueue('a');
    await clock.advance(0);
    controller.enqueue('a');
    controller.enqueue('a');
    await clock.advance(0);
    expect(keys()).toEqual(['a']);
    runs[0]!.resolve();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'a']);
  });

  it('comes back to what failed, later each time, and at the first delay again once it went well', async () => {
    let isBroken = true;
    const act: Reconcile = async () => {
      if (isBroken) throw new Error('no');
      return undefined;
    };
    const { clock, controller, log, runs } = setUp({ act });
    controller.start();
    controller.enqueue('a');
    await clock.advance(40);
    expect(runs.map(({ at }) => at)).toEqual([0, 5, 15, 35]);
    isBroken = false;
    await clock.advance(1000);
    expect(runs).toHaveLength(5);
    isBroken = true;
    controller.enqueue('a');
    await clock.advance(6);
    expect(runs.slice(5).map(({ at }) => at - 1040)).toEqual([0, 5]);
    expect(log.lines[0]).toMatchObject({
      level: 'warn',
      message: 'reconcile failed',
      fields: { name: 'a', failed: 1, retryInMs: 5 },
    });
  });

  it('takes a reconcile that throws at once for one that rejects', async () => {
    const { clock, controller, runs } = setUp({
      act: () => {
        throw new Error('at once');
      },
    });
    controller.start();
    controller.enqueue('a');
    await clock.advance(10);
    expect(runs.map(({ at }) => at)).toEqual([0, 5]);
  });

  it('stays away for as long as a server asks for', async () => {
    const act: Reconcile = async () => {
      throw Object.assign(new Error('busy'), { retryAfterMs: 4000 });
    };
    const { clock, controller, runs } = setUp({ act });
    controller.start();
    controller.enqueue('a');
    await clock.advance(8000);
    expect(runs.map(({ at }) => at)).toEqual([0, 4000, 8000]);
  });

  it('looks again when the reconcile asks for it, but never at once', async () => {
    const asked = [100, 0, 0];
    const act: Reconcile = async () => {
      const requeueAfterMs = asked.shift();
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    };
    const { clock, controller, runs } = setUp({ act });
    controller.start();
    controller.enqueue('a');
    await clock.advance(1000);
    expect(runs.map(({ at }) => at)).toEqual([0, 100, 101, 102]);
  });

  it('aborts a reconcile that takes too long and comes back to it, though it says that it was done', async () => {
    const { clock, controller, log, runs } = setUp();
    controller.start();
    controller.enqueue('a');
    await clock.advance(60_000);
    expect(runs[0]!.signal.reason).toMatchObject({ message: 'the reconcile of a took longer than 60000 ms' });
    runs[0]!.resolve();
    await clock.advance(5);
    expect(runs).toHaveLength(2);
    expect(log.lines.map(({ message }) => message)).toEqual(['reconcile failed']);
  });

  it('frees the worker of a reconcile that ignores its abort, and keeps its key from a second one', async () => {
    const { clock, controller, keys, log, runs } = setUp({ workers: 1 });
    controller.start();
    controller.enqueue('stuck');
    controller.enqueue('b');
    await clock.advance(69_999);
    controller.enqueue('stuck');
    expect(keys()).toEqual(['stuck']);
    await clock.advance(1);
    expect(keys()).toEqual(['stuck', 'b']);
    runs[1]!.resolve();
    await clock.advance(1000);
    expect(keys()).toEqual(['stuck', 'b']);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'reconcile ignores its deadline'],
    ]);
    runs[0]!.resolve();
    await clock.advance(1000);
    expect(keys()).toEqual(['stuck', 'b', 'stuck']);
  });

  it('lets what runs finish when it stops, and starts nothing more', async () => {
    const { clock, controller, keys, runs } = setUp();
    controller.start();
    for (const key of ['a', 'b', 'c']) controller.enqueue(key);
    controller.enqueue('later', 50);
    await clock.advance(0);
    let isStopped = false;
    void controller.stop().then(() => (isStopped = true));
    runs[0]!.resolve();
    await clock.advance(1000);
    expect([isStopped, runs[1]!.signal.aborted]).toEqual([false, false]);
    runs[1]!.reject(new Error('late'));
    await clock.advance(0);
    expect([isStopped, keys(), clock.pending()]).toEqual([true, ['a', 'b'], 0]);
  });

  it('aborts what has not finished in the grace period, and waits for no one that ignores that', async () => {
    const { clock, controller, runs } = setUp();
    controller.start();
    controller.enqueue('a');
    await clock.advance(0);
    let isStopped = false;
    void controller.stop(5000).then(() => (isStopped = true));
    await clock.advance(5000);
    expect([runs[0]!.signal.aborted, isStopped]).toEqual([true, false]);
    await clock.advance(10_000);
    expect(isStopped).toBe(true);
  });

  it('counts under the names that dashboards look for', async () => {
    const { clock, controller, metrics, runs } = setUp({ workers: 1 });
    measureControllers(metrics, [controller]);
    controller.start();
    for (const key of ['a', 'b', 'c']) controller.enqueue(key);
    await clock.advance(250);
    const busy = await metrics.page();
    expect(busy).toContain('workqueue_depth{name="budgets",controller="budgets"} 2');
    expect(busy).toContain('workqueue_adds_total{name="budgets",controller="budgets"} 3');
    expect(busy).toContain('workqueue_unfinished_work_seconds{name="budgets",controller="budgets"} 0.25');
    expect(busy).toContain('workqueue_longest_running_processor_seconds{name="budgets",controller="budgets"} 0.25');
    expect(busy).toContain('controller_runtime_active_workers{controller="budgets"} 1');
    runs[0]!.resolve();
    await clock.advance(0);
    runs[1]!.resolve({ requeueAfterMs: 60_000 });
    await clock.advance(0);
    runs[2]!.reject(new Error('no'));
    await clock.advance(1);
    const page = await metrics.page();
    for (const result of ['success', 'requeue_after', 'error'])
      expect(page).toContain(`controller_runtime_reconcile_total{controller="budgets",result="${result}"} 1`);
    expect(page).toContain('controller_runtime_reconcile_errors_total{controller="budgets"} 1');
    expect(page).toContain('workqueue_retries_total{name="budgets",controller="budgets"} 1');
    expect(page).toContain('controller_runtime_reconcile_time_seconds_count{controller="budgets"} 3');
    expect(page).toContain('workqueue_work_duration_seconds_sum{name="budgets",controller="budgets"} 0.25');
    expect(page).toContain('workqueue_depth{name="budgets",controller="budgets"} 0');
    expect(page).toContain('controller_runtime_max_concurrent_reconciles{controller="budgets"} 1');
  });
});
