/** Parts of the product go away under an application that calls, and come back. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl, tryKubectl } from './testing/kubectl.ts';
import { ensureRelease, SYSTEM, upgradeRelease } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;

const aPod = (namespace: string, annotations: object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'new', namespace, annotations },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'app',
          image: 'localhost/tollgate-server:dev',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });

describe('an application of two pods, while parts of the product are away', () => {
  let team: Team;
  const ours = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', SYSTEM]);
  beforeAll(async () => {
    await ensureRelease();
    // Wide enough that what the servers have taken from it ahead lasts while PostgreSQL is away.
    team = await makeTeam('outage', { limit: '500.00', replicas: 2 });
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  it('goes on calling without PostgreSQL on what is leased, and every account agrees afterwards', async () => {
    await team.ask({ calls: 10, atOnce: 2 });
    await ours('scale', 'statefulset/tollgate-postgres', '--replicas=0');
    await ours('wait', '--for=delete', 'pod/tollgate-postgres-0', '--timeout=60s');
    try {
      expect(failures(await team.ask({ calls: 60, atOnce: 2, pauseMs: 500 }))).toEqual([]);
    } finally {
      await ours('scale', 'statefulset/tollgate-postgres', '--replicas=1');
      await ours('rollout', 'status', 'statefulset/tollgate-postgres', '--timeout=120s');
    }
    await team.accountsAgree();
  });

  it('calls on while every program is replaced by an upgrade', async () => {
    const asked = team.ask({ calls: 400, atOnce: 2, pauseMs: 200 });
    await upgradeRelease();
    expect(failures(await asked)).toEqual([]);
    await team.accountsAgree();
  });

  it('leaves other pods alone while no injector answers, and starts none that opted in without its proxy', async () => {
    await ours('scale', 'deployment/tollgate-injector', '--replicas=0');
    await ours('wait', '--for=delete', 'pod', '-l', 'app.kubernetes.io/component=injector', '--timeout=60s');
    const create = (annotations: object): ReturnType<typeof tryKubectl> =>
      tryKubectl(['create', '--dry-run=server', '-f', '-'], aPod(team.namespace, annotations));
    try {
      expect(await create({})).toMatchObject({ code: 0 });
      const refused = await create({ 'tollgate.dev/inject': 'true' });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('failed calling webhook') });
      expect(failures(await team.ask({ calls: 2 }))).toEqual([]);
    } finally {
      await ours('scale', 'deployment/tollgate-injector', '--replicas=2');
      await isRolledOut(SYSTEM, 'tollgate-injector');
    }
    await eventually(
      'a pod that opts in is taken again',
      () => create({ 'tollgate.dev/inject': 'true' }),
      ({ code }) => code === 0,
    );
  });

  it('is programmed by another operator when the leader goes', async () => {
    const holder = (): Promise<string> =>
      ours('get', 'lease', 'tollgate-operator', '-o', 'jsonpath={.spec.holderIdentity}');
    const before = await holder();
    await ours('delete', 'pod', before.split('_')[0] ?? '', '--wait=false');
    await eventually('another leads', holder, (now) => now !== '' && now !== before);
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'by-the-next', namespace: team.namespace },
      spec: { limits: [{ name: 'calls', requests: { max: 1 }, period: 'Total' }] },
    });
    await kubectl(['wait', '--for=condition=Ready', 'tb/by-the-next', '-n', team.namespace, '--timeout=60s']);
    // Its window has no beginning, so that the calls of the stories above count, and have used it up.
    const outcomes = await team.ask({ calls: 2 });
    expect(outcomes).toHaveLength(4);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ error: 'RateLimitError', message: expect.stringContaining('by-the-next') });
  });
});
