/** The disk of a proxy's spool: full, with calls under way. What cannot be written down is not sent. */
import { pause, until } from '../rig/wait.ts';
import { anyProxy, between, untilServes, type Fault } from './scene.ts';

const full: Fault = {
  row: 4,
  lane: 'edge',
  name: "the disk of a proxy's spool is full: no new calls, those under way end, and it mends by itself",
  needs: ['own disk'],
  run: async (scene) => {
    const { load } = scene;
    const proxy = anyProxy(scene);
    const from = load.now();
    proxy.fillDisk();
    try {
      // The file's last page may have room for a few records more.
      await until('calls are refused for want of room', 10_000, () => {
        const last = load.since(from, proxy.name).at(-1);
        return last?.status === 503 || last?.status === 429;
      });
      await pause(between(scene, 200, 1_500));
      if (proxy.process() === null) throw new Error('it died of it');
    } finally {
      proxy.freeDisk();
    }
    await untilServes(scene, proxy);
  },
};

const fullAndKilled: Fault = {
  row: 4,
  lane: 'edge',
  name: 'a proxy whose disk is full is killed, and starts with the disk still full',
  needs: ['own disk'],
  run: async (scene) => {
    const proxy = anyProxy(scene);
    proxy.fillDisk();
    await pause(between(scene, 300, 1_500));
    await proxy.kill();
    const starting = proxy.start().catch(() => undefined);
    await pause(between(scene, 500, 1_500));
    proxy.freeDisk();
    await starting;
    await proxy.start();
    await untilServes(scene, proxy);
  },
};

export const SPOOL_FAULTS: readonly Fault[] = [full, fullAndKilled];
