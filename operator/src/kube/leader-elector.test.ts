import { describe, expect, it } from '@jest/globals';
import { makeMetrics, silentLogger } from '@tollgate/runtime';
import { makeFakeClock } from '@tollgate/testkit';
import fc from 'fast-check';
import type { KubeApi } from './kube-api.ts';
import { makeLeaderElector } from './leader-elector.ts';
import { KUBE_METRICS } from './metrics.ts';
import { GOOD_NETWORK, makeLeaseServer, makeProcess, type Network } from './testing/lease-processes.ts';

const setUp = (names: readonly string[], network: Network = GOOD_NETWORK) => {
  const clock = makeFakeClock();
  const server = makeLeaseServer();
  const processes = names.map((name) => makeProcess(name, clock, server, network));
  const leading = (): readonly string[] => names.filter((_, index) => processes[index]!.elector.isLeading());
  return { clock, server, processes, leading };
};

describe('the leader elector', () => {
  it('lets one of three lead, and writes who with times of six decimals', async () => {
    const { clock, server, processes, leading } = setUp(['a', 'b', 'c']);
    for (const { run } of processes) run();
    await clock.advance(60_000);
    expect(leading()).toEqual(['a']);
    expect(processes.map(({ seen }) => seen)).toEqual([['leads'], [], []]);
    expect(server.current()?.spec).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 30,
      leaseTransitions: 0,
      acquireTime: expect.stringMatching(/^2026-01-15T12:00:00\.\d{3}000Z$/),
      renewTime: expect.stringMatching(/^2026-01-15T12:00:5\d\.\d{3}000Z$/),
    });
    expect(await processes[0]!.metrics.page()).toContain('leader_election_master_status{name="operator"} 1');
    expect(await processes[1]!.metrics.page()).toContain('leader_election_master_status{name="operator"} 0');
  });

  it('gives the lease back when it is stopped, so that another leads well within five seconds', async () => {
    const { clock, server, processes, leading } = setUp(['a', 'b']);
    for (const { run } of processes) run();
    await clock.advance(12_000);
    const stopped = processes[0]!.elector.stop();
    expect([processes[0]!.hasTerm(), leading()]).toEqual([false, []]);
    await clock.advance(3100);
    await stopped;
    expect(leading()).toEqual(['b']);
    expect(processes[0]!.seen).toEqual(['leads']);
    expect(server.current()?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('takes over from a leader that was killed after 30 s and within 40 s', async () => {
    const { clock, processes, leading } = setUp(['a', 'b']);
    for (const { run } of processes) run();
    await clock.advance(12_000);
    processes[0]!.kill();
    await clock.advance(25_000);
    expect(leading()).toEqual([]);
    await clock.advance(15_000);
    expect(leading()).toEqual(['b']);
  });

  it('does not believe in a leader that was paused, even before that process knows of it', async () => {
    const { clock, processes, leading } = setUp(['a', 'b']);
    for (const { run } of processes) run();
    await clock.advance(12_000);
    processes[0]!.pause();
    await clock.advance(21_000);
    expect(leading()).toEqual([]);
    await clock.advance(30_000);
    expect(leading()).toEqual(['b']);
    processes[0]!.resume();
    await clock.advance(100);
    expect([leading(), processes[0]!.hasTerm(), processes[0]!.seen]).toEqual([['b'], false, ['leads', 'lost']]);
  });

  it('loses its term when it cannot renew for 20 s, and leads again when the server is back', async () => {
    let isAway = false;
    const { clock, processes, leading } = setUp(['a'], { ...GOOD_NETWORK, isLost: () => isAway });
    const [only] = processes;
    only!.run();
    await clock.advance(10_000);
    isAway = true;
    await clock.advance(21_000);
    expect([leading(), only!.hasTerm(), only!.seen]).toEqual([[], false, ['leads', 'lost']]);
    isAway = false;
    await clock.advance(20_000);
    expect([leading(), only!.seen]).toEqual([['a'], ['leads', 'lost', 'leads']]);
  });

  it('loses its term at once where another holds the lease', async () => {
    const { clock, server, processes } = setUp(['a']);
    processes[0]!.run();
    await clock.advance(10_000);
    const lease = server.current()!;
    server.put({ ...lease, spec: { ...lease.spec, holderIdentity: 'by hand' } });
    await clock.advance(6000);
    expect(processes[0]!.seen).toEqual(['leads', 'lost']);
  });

  it('keeps to the time that another holder promised, whatever its own clock says of the lease', async () => {
    const { clock, server, processes, leading } = setUp(['a']);
    // A clock that is a year ahead would find it long over.
    server.put({
      metadata: { namespace: 'tollgate-system', name: 'operator' },
      spec: { holderIdentity: 'old', leaseDurationSeconds: 60, renewTime: '2025-01-01T00:00:00.000000Z' },
    });
    processes[0]!.run();
    await clock.advance(59_000);
    expect(leading()).toEqual([]);
    await clock.advance(7000);
    expect(leading()).toEqual(['a']);
    expect(server.current()?.spec?.leaseTransitions).toBe(1);
  });

  it('goes on when a handler throws, and contends no more when it is stopped', async () => {
    const clock = makeFakeClock();
    const server = makeLeaseServer();
    const process = makeProcess('a', clock, server, GOOD_NETWORK);
    process.elector.run({
      onLeading: () => {
        throw new Error('a handler');
      },
      onLost: () => undefined,
    });
    await clock.advance(40_000);
    expect(process.elector.isLeading()).toBe(true);
    void process.elector.stop();
    await clock.advance(60_000);
    expect([process.elector.isLeading(), clock.pending()]).toEqual([false, 0]);
    expect(server.current()?.spec).not.toHaveProperty('holderIdentity');
  });

  it('refuses times that would let two lead', () => {
    const make = (leaseMs: number, renewMs: number, retryMs: number) => () =>
      makeLeaderElector({
        api: {} as KubeApi,
        namespace: 'n',
        name: 'l',
        identity: 'i',
        timers: makeFakeClock().timers,
        clock: () => 0,
        wallClock: () => 0,
        random: () => 0,
        log: silentLogger(),
        metrics: makeMetrics(KUBE_METRICS, { processMetrics: false }),
        leaseMs,
        renewMs,
        retryMs,
      });
    expect(make(20_000, 20_000, 5000)).toThrow('must be longer than renewal');
    expect(make(30_000, 5000, 5000)).toThrow('that than retry');
  });
});

describe('three electors among pauses, slow answers and lost ones', () => {
  const move = fc.record({
    ms: fc.integer({ min: 100, max: 15_000 }),
    who: fc.integer({ min: 0, max: 2 }),
    what: fc.constantFrom('pause', 'resume', 'nothing', 'nothing', 'trouble', 'calm'),
  });

  it('never lead two at a time, and one leads in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 5, maxLength: 25 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (moves, chance) => {
          let isTroubled = false;
          const next = (): number => chance.next().value;
          const { clock, processes, leading } = setUp(['a', 'b', 'c'], {
            there: () => (isTroubled ? next() * 9000 : 5),
            back: () => (isTroubled ? next() * 9000 : 5),
            isLost: () => isTroubled && next() < 0.4,
          });
          for (const { run } of processes) run();
          const pass = async (ms: number): Promise<void> => {
            for (let left = ms; left > 0; left -= 250) {
              await clock.advance(Math.min(250, left));
              expect(leading().length).toBeLessThanOrEqual(1);
            }
          };
          for (const { ms, who, what } of moves) {
            if (what === 'pause') processes[who]!.pause();
            if (what === 'resume') processes[who]!.resume();
            if (what === 'trouble') isTroubled = true;
            if (what === 'calm') isTroubled = false;
            await pass(ms);
          }
          isTroubled = false;
          for (const { resume } of processes) resume();
          await pass(70_000);
          expect(leading()).toHaveLength(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
