import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tollgate/runtime';
import { makeFakeClock } from '@tollgate/testkit';
import { startPushLoop } from './push-loop.ts';
import { ServerFault } from './server-fault.ts';

const aLoop = () => {
  const clock = makeFakeClock();
  const world = { value: 'a', fault: null as Error | null, isInForce: true, checks: 0 };
  const pushed: string[] = [];
  const tries: number[] = [];
  const loop = startPushLoop({
    resource: 'resources',
    compose: () => world.value,
    push: async (value) => {
      tries.push(clock.now());
      if (world.fault) throw world.fault;
      pushed.push(`${value}@${clock.now()}`);
    },
    isInForce: async () => {
      world.checks += 1;
      return world.isInForce;
    },
    timers: clock.timers,
    clock: clock.now,
    random: () => 0.5,
    log: silentLogger(),
  });
  return { clock, world, pushed, tries, loop };
};

const AWAY = new ServerFault(null, 'unreachable', 'no answer');

describe('the push loop', () => {
  it('pushes at once, and a change after a tenth of a second of quiet', async () => {
    const { clock, world, pushed, loop } = aLoop();
    await clock.advance(1_000);
    world.value = 'b';
    loop.kick();
    await clock.advance(50);
    world.value = 'c';
    loop.kick();
    await clock.advance(1_000);
    expect(pushed).toEqual(['a@0', 'c@1150']);
  });

  it('waits for half a second at most where changes never end', async () => {
    const { clock, world, pushed, loop } = aLoop();
    await clock.advance(1_000);
    for (let index = 0; index < 12; index += 1) {
      world.value = `v${index}`;
      loop.kick();
      await clock.advance(50);
    }
    expect(pushed.slice(1)).toEqual(['v9@1500']);
  });

  it('pushes nothing where a change came to nothing', async () => {
    const { clock, pushed, loop } = aLoop();
    await clock.advance(1_000);
    loop.kick();
    await clock.advance(1_000);
    expect(pushed).toEqual(['a@0']);
  });

  it('asks once a minute whether it still holds, and pushes again where it does not', async () => {
    const { clock, world, pushed } = aLoop();
    await clock.advance(59_000);
    expect(world.checks).toBe(0);
    await clock.advance(62_000);
    expect({ checks: world.checks, pushed }).toEqual({ checks: 2, pushed: ['a@0'] });
    world.isInForce = false;
    await clock.advance(60_000);
    expect(pushed).toEqual(['a@0', 'a@180000']);
  });

  it('asks at once where the other side was away, and does not wait for its turn to try again', async () => {
    const { clock, world, pushed, loop } = aLoop();
    await clock.advance(10_000);
    loop.recheck();
    await clock.advance(1_000);
    expect({ checks: world.checks, pushed }).toEqual({ checks: 1, pushed: ['a@0'] });
    world.isInForce = false;
    loop.recheck();
    await clock.advance(1_000);
    expect(pushed).toEqual(['a@0', 'a@11100']);
    world.fault = AWAY;
    world.value = 'b';
    loop.kick();
    await clock.advance(20_000);
    world.fault = null;
    loop.recheck();
    await clock.advance(1_000);
    expect(pushed).toEqual(['a@0', 'a@11100', 'b@32100']);
  });

  it('tries again, later each time, with what holds then; changes meanwhile do not hurry it', async () => {
    const { clock, world, pushed, tries, loop } = aLoop();
    await clock.advance(1_000);
    world.fault = AWAY;
    world.value = 'b';
    loop.kick();
    for (let index = 0; index < 40; index += 1) {
      await clock.advance(100);
      loop.kick();
    }
    expect(tries).toEqual([0, 1_100, 1_600, 2_600, 4_600]);
    world.fault = null;
    world.value = 'c';
    await clock.advance(10_000);
    expect(pushed).toEqual(['a@0', 'c@8600']);
  });

  it('takes a refusal for final until something changes', async () => {
    const { clock, world, pushed, tries, loop } = aLoop();
    world.fault = new ServerFault(422, 'invalid_resources', 'no');
    await clock.advance(0);
    world.value = 'b';
    loop.kick();
    await clock.advance(1_000);
    expect(tries).toHaveLength(2);
    await clock.advance(30_000);
    expect(tries).toHaveLength(2);
    world.fault = null;
    loop.kick();
    await clock.advance(1_000);
    expect(pushed).toEqual(['b@31100']);
  });

  it('ends with nothing under way', async () => {
    const { clock, tries, loop } = aLoop();
    await clock.advance(1_000);
    await loop.stop();
    loop.kick();
    await clock.advance(200_000);
    expect({ tries, pending: clock.pending() }).toEqual({ tries: [0], pending: 0 });
  });
});
