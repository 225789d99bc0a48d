import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeFakeClock } from '@tollgate/testkit';
import { startPodFindings } from './pod-findings.ts';
import { ServerFault } from './server-fault.ts';
import type { PodFinding } from './server-views.ts';

const silent = (name: string): PodFinding => ({ namespace: 'team-a', name, isSilent: true, direct: [] });

const setUp = () => {
  const clock = makeFakeClock();
  const log = recordingLogger();
  const world = { pods: [] as readonly PodFinding[], fault: null as Error | null, asked: 0 };
  const answers: (readonly string[])[] = [];
  const findings = startPodFindings({
    client: {
      podFindings: async () => {
        world.asked += 1;
        if (world.fault !== null) throw world.fault;
        return { pods: [...world.pods] };
      },
    },
    intervalMs: 30_000,
    timers: clock.timers,
    log,
    onAnswer: (keys) => void answers.push(keys),
  });
  return { findings, world, answers, log, turn: () => clock.advance(30_000) };
};

describe('what the server knows of pods', () => {
  it('is asked at once and then now and then, and names those that are well again', async () => {
    const { findings, world, answers, turn } = setUp();
    await turn();
    world.pods = [silent('a'), silent('b')];
    await turn();
    expect(findings.of('team-a/a')).toEqual(silent('a'));
    world.pods = [silent('b')];
    await turn();
    expect(findings.of('team-a/a')).toBeNull();
    expect(answers.slice(-2)).toEqual([
      ['team-a/a', 'team-a/b'],
      ['team-a/a', 'team-a/b'],
    ]);
  });

  it.each([
    ['is away', new ServerFault(null, 'unreachable', 'no answer'), 0],
    ['is of an earlier version', new ServerFault(404, 'not_found', 'nothing is served'), 0],
    ['refuses', new ServerFault(403, 'forbidden', 'no'), 1],
  ])('stays as it was where the server %s', async (_how, fault, lines) => {
    const { findings, world, log, turn } = setUp();
    world.pods = [silent('a')];
    await turn();
    world.fault = fault;
    await turn();
    await turn();
    expect(findings.of('team-a/a')).not.toBeNull();
    expect([log.lines.length, world.asked]).toEqual([lines, 4]);
  });

  it('is asked no more once it is stopped', async () => {
    const { findings, world, turn } = setUp();
    await turn();
    await findings.stop();
    const { asked } = world;
    await turn();
    expect(world.asked).toBe(asked);
  });
});
