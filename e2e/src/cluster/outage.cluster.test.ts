/** PostgreSQL and the injector go away under applications that call, and come back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRolledOut } from './testing/app.ts';
import { aPod, OPTED_IN, tryCreate } from './testing/dry-run.ts';
import { eventually } from './testing/eventually.ts';
import { kubectl } from './testing/kubectl.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
const MINUTE_MS = 60_000;
const OUTAGE_MS = 300_000;

const system = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', SYSTEM]);

describe('three applications, while PostgreSQL is away for a minute', () => {
  /** Wide enough that what the servers have taken from it ahead lasts; so narrow that it does not; never in the way. */
  let wide: Team;
  let narrow: Team;
  let soft: Team;
  const all = (): readonly Team[] => [wide, narrow, soft];
  const sayTheStoreIs = async (status: 'True' | 'False'): Promise<void> => {
    for (const { namespace } of all())
      await kubectl(['wait', `--for=condition=StoreAvailable=${status}`, 'tb/team', '-n', namespace, '--timeout=60s']);
  };
  beforeAll(async () => {
    await ensureRelease();
    wide = await makeTeam('wide', { limit: '500.00', replicas: 2 });
    narrow = await makeTeam('narrow', { limit: '0.50' });
    soft = await makeTeam('soft', { limit: '0.01', enforcement: 'Soft' });
  }, INSTALL_MS);
  afterAll(async () => {
    for (const team of all()) await team?.remove();
  });

  it(
    'calls go on as each budget says, and every status is exact afterwards',
    async () => {
      for (const team of all()) await team.ask({ calls: 10, atOnce: 2 });
      await system('scale', 'statefulset/tollgate-postgres', '--replicas=0');
      await system('wait', '--for=delete', 'pod/tollgate-postgres-0', '--timeout=60s');
      const load = { atOnce: 2, pauseMs: 500, once: true };
      try {
        for (const team of all()) await team.begin(load);
        await sleep(MINUTE_MS);
        await sayTheStoreIs('False');
        // Nobody can say what is left of it, so that nothing more may be spent: said as what it is, and no fault of theirs.
        const refused = failures(await narrow.end());
        expect(refused).not.toEqual([]);
        for (const outcome of refused) expect(outcome).toMatchObject({ error: 'InternalServerError', status: 503 });
        for (const team of [wide, soft]) {
          const outcomes = await team.end();
          expect(outcomes.length).toBeGreaterThan(100);
          expect(failures(outcomes)).toEqual([]);
        }
      } finally {
        await system('scale', 'statefulset/tollgate-postgres', '--replicas=1');
        await system('rollout', 'status', 'statefulset/tollgate-postgres', '--timeout=120s');
      }
      await eventually(
        'the narrow budget pays again',
        () => narrow.ask({ once: true }),
        (outcomes) => failures(outcomes).length === 0,
      );
      for (const team of all()) await team.statusAgrees();
      await sayTheStoreIs('True');
    },
    OUTAGE_MS,
  );
});

/** What nobody asked the injector about. */
const untouched = (namespace: string): Readonly<Record<string, object>> => {
  const pod = aPod(namespace, {}) as { readonly spec: object };
  const labels = { app: 'bare' };
  const metadata = { generateName: 'new-', namespace };
  const template = { metadata: { labels }, spec: pod.spec };
  const job = { template: { ...template, spec: { ...pod.spec, restartPolicy: 'Never' } } };
  return {
    'a pod that says nothing': pod,
    'a pod that opts out': aPod(namespace, { 'tollgate.dev/inject': 'false' }),
    'a pod with another annotation of ours': aPod(namespace, { 'tollgate.dev/log-level': 'debug' }),
    'a Deployment': {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { selector: { matchLabels: labels }, template },
    },
    'a StatefulSet': {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: { serviceName: 'bare', selector: { matchLabels: labels }, template },
    },
    'a Job': { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: job },
    'a CronJob': {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: { schedule: '0 3 * * *', jobTemplate: { spec: job } },
    },
    'a budget': {
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata,
      spec: { limits: [{ name: 'calls', requests: { max: 1 }, period: 'Day' }] },
    },
  };
};

describe('while no injector answers', () => {
  let team: Team;
  beforeAll(async () => {
    await ensureRelease();
    team = await makeTeam('no-injector', { limit: '50.00' });
    await system('scale', 'deployment/tollgate-injector', '--replicas=0');
    await system('wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/component=injector', '--timeout=90s');
  }, INSTALL_MS);
  afterAll(async () => {
    await system('scale', 'deployment/tollgate-injector', '--replicas=2');
    await isRolledOut(SYSTEM, 'tollgate-injector');
    await team?.remove();
  });

  it.each(Object.keys(untouched('')))('%s is taken as ever', async (what) => {
    const { code, stderr } = await tryCreate(untouched(team.namespace)[what] ?? {});
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('the applications that have their proxy call on', async () => {
    expect(failures(await team.ask({ calls: 5, once: true }))).toEqual([]);
    await team.accountsAgree();
  });

  it('no pod that opted in starts without its proxy, and one is taken again once an injector answers', async () => {
    const refused = await tryCreate(aPod(team.namespace, OPTED_IN));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('failed calling webhook') });
    await system('scale', 'deployment/tollgate-injector', '--replicas=2');
    await isRolledOut(SYSTEM, 'tollgate-injector');
    await eventually(
      'a pod that opts in is taken again',
      () => tryCreate(aPod(team.namespace, OPTED_IN)),
      ({ code }) => code === 0,
    );
  });
});
