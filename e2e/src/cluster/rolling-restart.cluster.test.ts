/** A team rolls its own Deployment out anew while it streams: the proxy in each pod outlives the application, and says all. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, isRolledOut, scriptProvider } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { kubectl } from './testing/kubectl.ts';
import { chargedTo } from './testing/ledger.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
const REPLICAS = 3;
const STREAMS = 4;
/** More than a pod comes to before it is told to go. */
const WITHOUT_END = 10_000;
/** 200 tokens, five of them every 100 ms: a stream takes four seconds, and its pod waits thirty for it. */
const SLOWLY = { 'chunk-tokens': '5', 'chunk-delay': '100' };
const GRACE_SECONDS = 30;

describe('a rolling restart of an application that streams', () => {
  let team: Team;
  beforeAll(async () => {
    await ensureRelease();
    const podSpec = { terminationGracePeriodSeconds: GRACE_SECONDS };
    team = await makeTeam('rolling', { limit: '50.00', replicas: REPLICAS, podSpec });
    await scriptProvider(team.namespace, SLOWLY);
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  it('drops no stream that was open when its pod was told to go, and loses no usage', async () => {
    const streams = { atOnce: STREAMS, stream: true, once: true };
    const asked = team.pods.map((pod) => ask(team.namespace, pod, { ...streams, calls: WITHOUT_END }));
    await eventually(
      'every pod streams',
      () => billOf(team.namespace),
      ({ calls }) => calls >= REPLICAS * STREAMS,
    );
    await kubectl(['rollout', 'restart', 'deployment/app', '-n', team.namespace]);
    await isRolledOut(team.namespace, 'app');
    const fresh = await eventually(
      'the new pods are alone',
      () => podsOf(team.namespace, 'app'),
      (found) => found.length === REPLICAS && found.every(({ name }) => !team.pods.includes(name)),
    );
    const again = fresh.map(({ name }) => ask(team.namespace, name, { ...streams, calls: STREAMS }));

    for (const outcomes of await Promise.all(asked)) {
      expect(failures(outcomes)).toEqual([]);
      // It was told while they were open.
      expect(outcomes.filter(({ endedWhileStopping }) => endedWhileStopping === true)).not.toEqual([]);
    }
    for (const outcomes of await Promise.all(again)) expect(failures(outcomes)).toEqual([]);

    const { calls, billedNano } = await billOf(team.namespace);
    await eventually(
      `the ledger has ${String(calls)} calls for ${billedNano}`,
      () => chargedTo(team.namespace),
      (charged) => charged.calls === calls && charged.nano === BigInt(billedNano),
    );
    await team.statusAgrees();
  });
});
