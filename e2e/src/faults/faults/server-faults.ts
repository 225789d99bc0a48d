/** Faults of the servers: killed, paused, replaced; several at once. */
import { pause } from '../rig/wait.ts';
import { anyProxy, anyServer, between, untilAllServe, untilServes, type Fault } from './scene.ts';

const kill: Fault = {
  row: 13,
  lane: 'centre',
  name: 'a server is killed, and started again',
  run: async (scene) => {
    const server = anyServer(scene);
    await pause(between(scene, 0, 200));
    await server.kill();
    await pause(between(scene, 0, 800));
    await server.start();
    await untilAllServe(scene);
  },
};

const killAll: Fault = {
  row: 13,
  lane: 'centre',
  name: 'all servers are killed at once, between a block and its pool for one of them',
  run: async (scene) => {
    await Promise.all(scene.rig.servers.map((server) => server.kill()));
    await pause(between(scene, 0, 1_500));
    await Promise.all(scene.rig.servers.map((server) => server.start()));
    await untilAllServe(scene);
  },
};

const away: Fault = {
  row: 27,
  lane: 'centre',
  name: 'no server for six seconds: calls under way end, leases in hand are spent, then 503',
  run: async (scene) => {
    const { servers } = scene.rig;
    await Promise.all(servers.map((server) => server.stop()));
    await pause(6_000);
    await Promise.all(servers.map((server) => server.start()));
    await untilAllServe(scene);
  },
};

const rolling: Fault = {
  row: 28,
  lane: 'centre',
  name: 'a rolling restart of the servers',
  run: async (scene) => {
    for (const server of scene.rig.servers) {
      await server.stop();
      await server.start();
    }
    await untilAllServe(scene);
  },
};

const paused: Fault = {
  row: 19,
  lane: 'centre',
  name: 'a server is paused, and goes on with what it thinks it knows',
  run: async (scene) => {
    const server = anyServer(scene);
    server.process()?.signal('SIGSTOP');
    await pause(between(scene, 2_000, 6_000));
    server.process()?.signal('SIGCONT');
    await untilAllServe(scene);
  },
};

const restartDuringIngest: Fault = {
  row: 31,
  lane: 'centre',
  name: 'a server is killed in the middle of taking events in',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    // A backlog first, so that there is something to be in the middle of.
    proxy.toServer.set({ up: { isHeld: true } });
    await pause(1_200);
    proxy.toServer.heal();
    await pause(between(scene, 0, 60));
    await Promise.all(scene.rig.servers.map((server) => server.kill()));
    await Promise.all(scene.rig.servers.map((server) => server.start()));
    await untilServes(scene, proxy);
  },
};

export const SERVER_FAULTS: readonly Fault[] = [kill, kill, killAll, away, rolling, paused, restartDuringIngest];
