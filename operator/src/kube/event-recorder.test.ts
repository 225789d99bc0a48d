import { describe, expect, it } from '@jest/globals';
import { makeMetrics } from '@tollgate/runtime';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeFakeClock, type FakeClock } from '@tollgate/testkit';
import { makeEventRecorder, type EventNote } from './event-recorder.ts';
import type { KubeApi } from './kube-api.ts';
import type { KubeEvent } from './kube-event.ts';
import { KubeFault } from './kube-fault.ts';
import { KUBE_METRICS } from './metrics.ts';

const note = (more: Partial<EventNote> = {}, name = 'monthly'): EventNote => ({
  regarding: {
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'TokenBudget',
    metadata: { namespace: 'a', name, uid: `uid-${name}`, resourceVersion: '7' },
  },
  type: 'Warning',
  reason: 'BudgetExceeded',
  action: 'Reconcile',
  note: 'the limit is reached',
  ...more,
});

const setUp = () => {
  const clock = makeFakeClock();
  const created: KubeEvent[] = [];
  const applied: KubeEvent[] = [];
  const faults: KubeFault[] = [];
  const log = recordingLogger();
  const metrics = makeMetrics(KUBE_METRICS, { processMetrics: false });
  const take = (list: KubeEvent[], object: KubeEvent): KubeEvent => {
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    list.push(object);
    return object;
  };
  const api = {
    create: async (_kind: unknown, object: KubeEvent) => take(created, object),
    apply: async (_kind: unknown, object: KubeEvent) => take(applied, object),
  } as unknown as Pick<KubeApi, 'create' | 'apply'>;
  const recorder = makeEventRecorder({
    api,
    component: 'tollgate.dev/operator',
    instance: 'tollgate-operator-1',
    timers: clock.timers,
    clock: clock.now,
    wallClock: clock.wallNow,
    random: () => 0.5,
    log,
    metrics,
  });
  return { clock, created, applied, faults, log, metrics, recorder };
};

/** One event waits for the other: many of them take more turns than one step of the clock grants. */
const sent = async (clock: FakeClock): Promise<void> => {
  for (let i = 0; i < 40; i += 1) await clock.advance(0);
};

describe('the event recorder', () => {
  it('writes an event on the object, in its namespace', async () => {
    const { clock, created, recorder } = setUp();
    recorder.record(note());
    await clock.advance(0);
    expect(created).toEqual([
      {
        metadata: { namespace: 'a', name: expect.stringMatching(/^monthly\.[0-9a-f]+$/) },
        eventTime: '2026-01-15T12:00:00.000000Z',
        reportingController: 'tollgate.dev/operator',
        reportingInstance: 'tollgate-operator-1',
        action: 'Reconcile',
        reason: 'BudgetExceeded',
        regarding: {
          apiVersion: 'tollgate.dev/v1alpha1',
          kind: 'TokenBudget',
          namespace: 'a',
          name: 'monthly',
          uid: 'uid-monthly',
          resourceVersion: '7',
        },
        note: 'the limit is reached',
        type: 'Warning',
      },
    ]);
  });

  it('writes one on an object of the whole cluster in the namespace default', async () => {
    const { clock, created, recorder } = setUp();
    recorder.record(note({ regarding: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } } }));
    await clock.advance(0);
    expect(created[0]?.metadata.namespace).toBe('default');
    expect(created[0]?.regarding).toEqual({ apiVersion: 'v1', kind: 'Namespace', name: 'a' });
  });

  it('makes a series of what comes again within six minutes, written once a minute', async () => {
    const { clock, created, applied, recorder } = setUp();
    for (let i = 0; i < 10; i += 1) {
      recorder.record(note());
      await clock.advance(1000);
    }
    expect([created.length, applied.length]).toEqual([1, 0]);
    await clock.advance(60_000);
    expect(applied).toEqual([
      { metadata: created[0]?.metadata, series: { count: 10, lastObservedTime: '2026-01-15T12:00:09.000000Z' } },
    ]);
    await clock.advance(290_000);
    recorder.record(note());
    await clock.advance(60_000);
    expect(applied.at(-1)?.series?.count).toBe(11);
    await clock.advance(361_000);
    recorder.record(note());
    await clock.advance(0);
    expect(created).toHaveLength(2);
    expect(created[1]?.metadata.name).not.toBe(created[0]?.metadata.name);
  });

  it('takes another note, reason or object for another event', async () => {
    const { clock, created, recorder } = setUp();
    recorder.record(note());
    recorder.record(note({ note: 'another' }));
    recorder.record(note({ reason: 'BudgetWarning' }));
    recorder.record(note({}, 'daily'));
    await clock.advance(0);
    expect(created).toHaveLength(4);
  });

  it('bounds what one object may fill, and counts what it drops', async () => {
    const { clock, created, metrics, recorder } = setUp();
    for (let i = 0; i < 100; i += 1) recorder.record(note({ note: `number ${i}` }));
    recorder.record(note({}, 'daily'));
    await sent(clock);
    expect(created).toHaveLength(26);
    expect(new Set(created.map(({ metadata }) => metadata.name)).size).toBe(26);
    expect(await metrics.page()).toContain('tollgate_kube_events_total{outcome="dropped"} 75');
    await clock.advance(300_000);
    recorder.record(note({ note: 'later' }));
    await clock.advance(0);
    expect(created).toHaveLength(27);
  });

  it('bounds what all objects together fill', async () => {
    const { clock, created, recorder } = setUp();
    for (let i = 0; i < 300; i += 1) recorder.record(note({}, `budget-${i}`));
    await sent(clock);
    expect(created).toHaveLength(200);
  });

  it('tries again while the server is in trouble, and gives up on what it refuses', async () => {
    const { clock, created, faults, log, recorder } = setUp();
    const fault = (status: number): KubeFault => new KubeFault({ status, reason: 'x', message: 'x' });
    faults.push(fault(0), fault(503));
    recorder.record(note());
    await clock.advance(6000);
    expect(created).toHaveLength(1);
    faults.push(fault(403));
    recorder.record(note({}, 'refused'));
    recorder.record(note({}, 'next'));
    await clock.advance(0);
    expect(created.map(({ regarding }) => regarding)).toMatchObject([{ name: 'monthly' }, { name: 'next' }]);
    expect(log.lines.map(({ message }) => message)).toEqual(['a Kubernetes event could not be written']);
    recorder.record(note({}, 'refused'));
    await clock.advance(0);
    expect(created).toHaveLength(3);
  });

  it('takes an answer that was lost for what it was: the event stands', async () => {
    const { clock, applied, faults, log, recorder } = setUp();
    faults.push(
      new KubeFault({ status: 0, reason: 'Unreachable', message: 'x' }),
      new KubeFault({ status: 409, reason: 'AlreadyExists', message: 'x' }),
    );
    recorder.record(note());
    await clock.advance(2000);
    recorder.record(note());
    await clock.advance(60_000);
    expect([applied.length, log.lines]).toEqual([1, []]);
  });

  it('cuts a note after 1,024 bytes, never within a character, and a long name', async () => {
    const { clock, created, recorder } = setUp();
    recorder.record(note({ note: 'x' + '€'.repeat(1000) }, `${'n'.repeat(219)}.${'m'.repeat(30)}`));
    await clock.advance(0);
    const [event] = created;
    expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^x€+…$/);
    expect(event?.metadata.name.length).toBeLessThanOrEqual(253);
    expect(event?.metadata.name).toMatch(/^n{219}\.[0-9a-f]+$/);
  });

  it('sends what waits when it stops, and takes nothing more', async () => {
    const { clock, created, applied, recorder } = setUp();
    recorder.record(note());
    await clock.advance(0);
    recorder.record(note());
    await recorder.stop(1000);
    recorder.record(note({}, 'late'));
    await clock.advance(100_000);
    expect([created.length, applied.length, clock.pending()]).toEqual([1, 1, 0]);
  });

  it('waits no longer than it is given for a server that is away', async () => {
    const { clock, faults, recorder } = setUp();
    for (let i = 0; i < 5; i += 1) faults.push(new KubeFault({ status: 0, reason: 'Unreachable', message: 'x' }));
    recorder.record(note());
    await clock.advance(0);
    let isStopped = false;
    void recorder.stop(3000).then(() => (isStopped = true));
    await clock.advance(3000);
    expect([isStopped, clock.pending()]).toEqual([true, 0]);
  });
});
