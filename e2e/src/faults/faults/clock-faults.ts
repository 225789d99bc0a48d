/** Clocks that jump, of one process or of all but the database. Safety must not notice; windows follow the ledger's clock. */
import { pause } from '../rig/wait.ts';
import { anyProxy, anyServer, between, untilAllServe, type Fault } from './scene.ts';

/** libfaketime looks at its file once a second. */
const SEEN_MS = 1_100;

const jump = (who: 'proxy' | 'server' | 'all', by: string): Fault => ({
  row: 18,
  lane: 'centre',
  name: `the clock of ${who === 'all' ? 'every process' : `a ${who}`} jumps by ${by}`,
  run: async (scene) => {
    const { proxies, servers } = scene.rig;
    const clocks =
      who === 'all'
        ? [...proxies, ...servers].map(({ clock }) => clock)
        : [(who === 'proxy' ? anyProxy(scene) : anyServer(scene)).clock];
    for (const clock of clocks) clock.jump(by);
    await pause(SEEN_MS + between(scene, 500, 2_000));
    for (const clock of clocks) clock.jump('+0');
    await pause(SEEN_MS);
    await untilAllServe(scene);
  },
});

export const CLOCK_FAULTS: readonly Fault[] = [
  jump('proxy', '+1h'),
  jump('proxy', '-1h'),
  jump('proxy', '+1d'),
  jump('proxy', '-1d'),
  jump('server', '+1h'),
  jump('server', '-1h'),
  jump('server', '+1d'),
  jump('server', '-1d'),
  jump('all', '+1h'),
  jump('all', '-1d'),
];
