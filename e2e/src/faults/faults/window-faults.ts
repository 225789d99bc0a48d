/** Windows that end at full load: every clock but the database's is set to just before the end, and then time goes on. */
import { pause } from '../rig/wait.ts';
import { between, untilAllServe, type Fault } from './scene.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** libfaketime looks at its file once a second; then some time of load on each side of the end. */
const BEFORE_MS = 2_200;
const AFTER_MS = 1_500;

const ends = (name: string, length: number): Fault => ({
  row: 20,
  lane: 'centre',
  name,
  run: async (scene) => {
    const { proxies, servers } = scene.rig;
    const clocks = [...proxies, ...servers].map(({ clock }) => clock);
    const toEnd = length - (Date.now() % length);
    const ahead = Math.floor((toEnd - BEFORE_MS) / 1000);
    for (const clock of clocks) clock.jump(`${ahead < 0 ? '-' : '+'}${String(Math.abs(ahead))}s`);
    await pause(BEFORE_MS + AFTER_MS + between(scene, 0, 500));
    for (const clock of clocks) clock.jump('+0');
    await untilAllServe(scene);
  },
});

export const WINDOW_FAULTS: readonly Fault[] = [
  ends('a minute ends at full load', MINUTE),
  ends('a day ends at full load', DAY),
];
