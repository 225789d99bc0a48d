/** The operator that leads goes, in order and without: another one leads soon, and neither calls nor new pods wait for it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isRolledOut } from './testing/app.ts';
import { keepAsking, type Admissions } from './testing/dry-run.ts';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl } from './testing/kubectl.ts';
import { killContainer } from './testing/kill-container.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
/** What is promised: the lease of a leader that stops is given back, that of one that was killed has to run out. */
const AFTER_STOP_MS = 5_000;
const AFTER_KILL_MS = 40_000;

interface Lease {
  readonly spec: { readonly holderIdentity?: string; readonly acquireTime?: string };
}

const lease = async (): Promise<Lease['spec']> =>
  (await getJson<Lease>('get', 'lease', 'tollgate-operator', '-n', SYSTEM)).spec;
/** A process writes its pod's name before an id of its own, so that it is another one after a restart in the same pod. */
const podOf = (holder: string): string => holder.split('_')[0] ?? '';

const leader = async (): Promise<string> => {
  const { holderIdentity = '' } = await eventually('one leads', lease, (found) => (found.holderIdentity ?? '') !== '');
  return holderIdentity;
};

/** Resolves with the milliseconds from `since` until another one took the lease, by its own word. */
const takenOverFrom = async (former: string, since: number): Promise<number> => {
  const { acquireTime = '' } = await eventually(
    `another one than ${former} leads`,
    lease,
    ({ holderIdentity = '' }) => holderIdentity !== '' && holderIdentity !== former,
  );
  const took = Date.parse(acquireTime) - since;
  process.stderr.write(`e2e: another operator led ${String(took)} ms after the former one went\n`);
  return took;
};

describe('the operator that leads', () => {
  let team: Team;
  let admissions: Admissions;
  beforeAll(async () => {
    await ensureRelease();
    team = await makeTeam('leader', { limit: '50.00', replicas: 2 });
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  beforeEach(async () => {
    await isRolledOut(SYSTEM, 'tollgate-operator');
    await team.begin({ atOnce: 2, pauseMs: 250, once: true });
    admissions = keepAsking(team.namespace);
  });
  afterEach(async () => {
    const outcomes = await team.end();
    expect(outcomes.length).toBeGreaterThan(0);
    expect(failures(outcomes)).toEqual([]);
    const { asked, refused } = await admissions.end();
    expect(asked).toBeGreaterThan(0);
    expect(refused).toEqual([]);
  });

  it('gives its lease back when it is stopped: another one leads within five seconds', async () => {
    const former = await leader();
    await kubectl(['delete', 'pod', podOf(former), '-n', SYSTEM, '--wait=false']);
    expect(await takenOverFrom(former, Date.now())).toBeLessThan(AFTER_STOP_MS);
  });

  it('is followed within forty seconds when it is killed', async () => {
    const former = await leader();
    const killedAt = await killContainer(SYSTEM, podOf(former), 'operator');
    expect(await takenOverFrom(former, killedAt)).toBeLessThan(AFTER_KILL_MS);
  });

  it('has its work done by the next one: a new budget is in force, and one that was spent from is exact', async () => {
    const former = await leader();
    await kubectl(['delete', 'pod', podOf(former), '-n', SYSTEM, '--wait=false']);
    await takenOverFrom(former, Date.now());
    await team.end();
    await team.statusAgrees();
    const next = { name: 'by-the-next', namespace: team.namespace };
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: next,
      spec: { limits: [{ name: 'calls', requests: { max: 1 }, period: 'Total' }] },
    });
    await kubectl(['wait', '--for=condition=Ready', `tb/${next.name}`, '-n', next.namespace, '--timeout=60s']);
    // Its window has no beginning, so that the calls of the stories above count, and have used it up.
    const outcomes = await team.ask({ calls: 2 });
    expect(outcomes).toHaveLength(4);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ error: 'RateLimitError', message: expect.stringContaining(next.name) });
    await kubectl(['delete', 'tb', next.name, '-n', next.namespace]);
  });
});
