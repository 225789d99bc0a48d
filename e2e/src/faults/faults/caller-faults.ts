/** Callers that are no good: reading slowly, closing half, hanging up at each event of a stream. */
import type { DrawnCall } from '../load/draw-call.ts';
import { anyProxy, untilServes, type Fault, type Scene } from './scene.ts';

const EVENTS = 12;

const stream = ({ dice, load }: Scene): DrawnCall => {
  for (;;) {
    const call = load.draw();
    if (call.body.includes('"stream":true')) return { ...call, hangsUpAfter: null, manner: 'plain' };
    dice.roll(2);
  }
};

const hangsUp: Fault = {
  row: 23,
  lane: 'edge',
  name: 'callers hang up at each event of a stream',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    const calls = Array.from({ length: EVENTS }, (_, events) => ({ ...stream(scene), hangsUpAfterEvents: events }));
    await Promise.all(calls.map((call) => scene.load.send(proxy, call)));
    await untilServes(scene, proxy);
  },
};

const badManners = (name: string, manner: NonNullable<DrawnCall['manner']>): Fault => ({
  row: 23,
  lane: 'edge',
  name,
  run: async (scene) => {
    const proxy = anyProxy(scene);
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const call = stream(scene);
        const headers = { ...call.headers, 'x-mock-body-bytes': '400000' };
        await scene.load.send(proxy, { ...call, headers, manner });
      }),
    );
    await untilServes(scene, proxy);
  },
});

export const CALLER_FAULTS: readonly Fault[] = [
  hangsUp,
  badManners('callers read slowly', 'slow'),
  badManners('callers close their half', 'half-closed'),
];
