/** The API server is killed under applications that call, and comes back. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { arrivalsAt, ask, isRolledOut } from './testing/app.ts';
import { restartApiServer } from './testing/api-server.ts';
import { aPod, OPTED_IN, tryCreate } from './testing/dry-run.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl } from './testing/kubectl.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
/** Between the first sign of its absence and the last, calls that began in the middle need nothing of it. */
const EDGE_MS = 1_000;

describe('an application of two pods, and the API server', () => {
  let team: Team;
  const ours = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', team.namespace]);
  beforeAll(async () => {
    await ensureRelease();
    team = await makeTeam('api-server', { limit: '50.00', replicas: 2 });
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  it('goes on calling while it is away, and the budget is exact afterwards', async () => {
    await team.begin({ atOnce: 2, pauseMs: 200, once: true });
    const { from, until } = await restartApiServer();
    const outcomes = await team.end();
    expect(failures(outcomes)).toEqual([]);
    const meanwhile = (await arrivalsAt(team.namespace)).filter((at) => at > from + EDGE_MS && at < until - EDGE_MS);
    expect(meanwhile.length).toBeGreaterThan(10);
    await team.statusAgrees();
  });

  it('has the proxy put into its new pods, which spend from the same budget', async () => {
    await eventually(
      'a pod that opts in is taken',
      () => tryCreate(aPod(team.namespace, OPTED_IN)),
      ({ code }) => code === 0,
    );
    await ours('scale', 'deployment/app', '--replicas=3');
    await isRolledOut(team.namespace, 'app');
    const pods = await podsOf(team.namespace, 'app');
    const added = pods.filter(({ name }) => !team.pods.includes(name));
    expect(added).toMatchObject([{ proxy: { index: 0, ready: true } }]);
    // Not toMatchObject: all that came is to be read where it fails.
    const outcomes = await ask(team.namespace, added[0]?.name ?? '', { once: true });
    expect(outcomes).toEqual([expect.objectContaining({ ok: true })]);
    await team.statusAgrees();
  });

  it('has a budget that is written then enforced, and its status follows', async () => {
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'afterwards', namespace: team.namespace },
      spec: { limits: [{ name: 'calls', requests: { max: 1 }, period: 'Total' }] },
    });
    await ours('wait', '--for=condition=Ready', 'tb/afterwards', '--timeout=60s');
    // Its window has no beginning: the calls before it have used it up.
    for (const outcome of await team.ask({ calls: 1 }))
      expect(outcome).toMatchObject({ error: 'RateLimitError', message: expect.stringContaining('afterwards') });
    await ours('wait', '--for=condition=Exceeded', 'tb/afterwards', '--timeout=60s');
  });
});
