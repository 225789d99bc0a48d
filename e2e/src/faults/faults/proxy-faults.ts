/** Faults of a proxy: killed at any moment and at each point of its spool, stalled, starved, told to stop. */
import type { CrashPlan, SpoolPoint } from '../rig/crash-at.ts';
import { pause } from '../rig/wait.ts';
import { anyProxy, between, untilServes, type Fault, type Scene } from './scene.ts';

const kill: Fault = {
  row: 1,
  lane: 'edge',
  name: 'a proxy is killed with calls under way',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    await pause(between(scene, 0, 300));
    await proxy.kill();
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

const killTwice: Fault = {
  row: 1,
  lane: 'edge',
  name: 'a proxy is killed, and again while it starts',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    await proxy.kill();
    const starting = proxy.start().catch(() => undefined);
    await pause(between(scene, 0, 400));
    await proxy.kill();
    await starting;
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

/** Records that come rarely are awaited for so long; then the process is killed all the same. */
const PATIENCE_MS = 4_000;

const atSpoolPoint = (point: SpoolPoint, when: CrashPlan['when']): Fault => ({
  row: 2,
  lane: 'edge',
  name: `a proxy dies ${when === 'half' ? 'half-way through' : `right ${when}`} writing ${point}`,
  run: async (scene) => {
    const proxy = anyProxy(scene);
    const died = proxy.crashAt({ point, when, nth: 1 + scene.dice.roll(point === 'I' || point === 'S' ? 20 : 2) });
    await Promise.race([died, pause(PATIENCE_MS)]);
    await proxy.kill();
    await proxy.start();
    await untilServes(scene, proxy);
  },
});

const POINTS: readonly SpoolPoint[] = ['L', 'I', 'S', 'A'];
const WHENS: readonly CrashPlan['when'][] = ['before', 'half', 'after'];

/** Epochs are written down when one begins, and closed when another has begun: so the servers are started anew meanwhile. */
const atEpochPoint = (point: 'P' | 'C', when: CrashPlan['when']): Fault => ({
  row: 2,
  lane: 'edge',
  name: `a proxy dies ${when === 'half' ? 'half-way through' : `right ${when}`} writing ${point}, as the epoch changes`,
  run: async (scene) => {
    const { servers, redis } = scene.rig;
    const proxy = anyProxy(scene);
    const died = proxy.crashAt({ point, when, nth: 1 });
    if (redis === null) {
      await Promise.all(servers.map((server) => server.kill()));
      await Promise.all(servers.map((server) => server.start()));
    } else await redis.primary().command('FLUSHALL');
    await Promise.race([died, pause(PATIENCE_MS)]);
    await proxy.kill();
    await proxy.start();
    await untilServes(scene, proxy);
  },
});

const stall = (row: number, name: string, ms: number): Fault => ({
  row,
  lane: 'edge',
  name,
  run: async (scene) => {
    const proxy = anyProxy(scene);
    proxy.process()?.signal('SIGSTOP');
    await pause(ms);
    proxy.process()?.signal('SIGCONT');
    await untilServes(scene, proxy);
  },
});

const restart: Fault = {
  row: 34,
  lane: 'edge',
  isAlone: true,
  name: 'a proxy is told to stop: it delivers all that it knows first',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    if (!(await proxy.stop())) throw new Error(`${proxy.name} did not stop by itself`);
    const left = await unshippedOf(scene, proxy.name);
    if (left > 0) throw new Error(`${proxy.name} stopped with ${String(left)} calls that the ledger has not heard of`);
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

/** Calls that this proxy has answered in full, and that are in no row. */
const unshippedOf = async ({ rig, load }: Scene, proxy: string): Promise<number> => {
  const rows = await rig.postgres.query<{ readonly user_id: string }>(rig.database, 'SELECT user_id FROM event');
  const known = new Set(rows.map(({ user_id }) => user_id));
  return load.outcomes.filter(
    (each) => each.proxy === proxy && each.status === 200 && each.isWhole && !known.has(each.label),
  ).length;
};

const joinAndLeave: Fault = {
  row: 25,
  lane: 'edge',
  isAlone: true,
  name: 'all proxies leave at once, and join again at once',
  run: async (scene) => {
    const { proxies } = scene.rig;
    const went = await Promise.all(proxies.map((proxy) => proxy.stop()));
    if (went.includes(false)) throw new Error('a proxy did not stop by itself');
    await Promise.all(proxies.map((proxy) => proxy.start()));
    await Promise.all(proxies.map((proxy) => untilServes(scene, proxy)));
  },
};

const fewFiles: Fault = {
  row: 29,
  lane: 'edge',
  name: 'a proxy runs out of file descriptors',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    await proxy.stop();
    await proxy.start({ under: ['prlimit', '--nofile=36:36', '--'] });
    await pause(between(scene, 1_000, 2_000));
    if (proxy.process() === null) throw new Error('it died of it');
    await proxy.stop();
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

const outOfMemory: Fault = {
  row: 29,
  lane: 'edge',
  name: 'a proxy is killed as by the OOM killer, with its spool',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    await pause(between(scene, 0, 200));
    await proxy.kill();
    await pause(between(scene, 0, 500));
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

export const PROXY_FAULTS: readonly Fault[] = [
  kill,
  kill,
  killTwice,
  ...POINTS.flatMap((point) => WHENS.map((when) => atSpoolPoint(point, when))),
  ...(['P', 'C'] as const).flatMap((point) => WHENS.map((when) => atEpochPoint(point, when))),
  stall(19, 'a proxy is paused, and goes on', 7_000),
  stall(29, "a proxy's event loop stands still for five seconds", 5_000),
  restart,
  joinAndLeave,
  fewFiles,
  outOfMemory,
];
