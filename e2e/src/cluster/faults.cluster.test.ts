/** What breaks in a cluster on an ordinary day, while an application calls. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, deployApps, deployProvider, isRolledOut, type Outcome } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl } from './testing/kubectl.ts';
import { chargedTo, countedOn, nanoOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const LIMIT = '5.00';
/** More than the bound of one of the application's calls: 200 tokens out, some 200 in. */
const HOLD = '0.005';
const AT_ONCE = 3;

/** The application runs as the proxy's own user here, sees its process, and has a Node to end it with. */
const KILL_PROXY = `
const { readdirSync, readFileSync } = require('node:fs');
const isProxy = (pid) => readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('/app/proxy.js');
const [pid] = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && isProxy(name));
process.kill(Number(pid), 'SIGKILL');
`;

/** Of the chart's own Redis, whose password is a line of its configuration. */
const FLUSH = `redis-cli --no-auth-warning -a "$(sed -n 's/^requirepass //p' /etc/tollgate/redis.conf)" flushall`;

describe('a Deployment of two pods, under faults', () => {
  let namespace: StoryNamespace;
  let pods: readonly string[] = [];
  const billed = async (): Promise<bigint> => BigInt((await billOf(namespace.name)).billedNano);
  const everyone = async (calls: number, pauseMs: number): Promise<readonly Outcome[]> =>
    (await Promise.all(pods.map((pod) => ask(namespace.name, pod, { calls, atOnce: AT_ONCE, pauseMs })))).flat();
  const failures = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter(({ ok }) => !ok);
  const accountsAgree = async (): Promise<void> => {
    const nano = await billed();
    await eventually(
      `the ledger has ${String(nano)}`,
      () => chargedTo(namespace.name),
      (charged) => charged.nano === nano,
    );
    expect((await countedOn(`${namespace.name}/team`)).nano).toBe(nano);
  };

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('faults');
    await deployProvider(namespace.name);
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'team', namespace: namespace.name },
      spec: { limits: [{ name: 'daily-cost', cost: { max: LIMIT }, period: 'Day' }] },
    });
    await deployApps(namespace.name, ['app'], { replicas: 2, podSpec: { shareProcessNamespace: true } });
    await kubectl(['annotate', 'deployment', 'app', 'tollgate.dev/inject=true', '-n', namespace.name]);
    await isRolledOut(namespace.name, 'app');
    const live = await eventually(
      'two pods with the proxy',
      () => podsOf(namespace.name, 'app'),
      (found) => found.length === 2 && found.every(({ proxy }) => proxy?.ready === true),
    );
    pods = live.map(({ name }) => name);
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  it('no call fails while the servers are replaced one by one', async () => {
    const asked = everyone(300, 200);
    await kubectl(['rollout', 'restart', 'deployment/tollgate-server', '-n', SYSTEM]);
    await isRolledOut(SYSTEM, 'tollgate-server');
    expect(failures(await asked)).toEqual([]);
    await accountsAgree();
  });

  it('no call fails while Redis forgets everything', async () => {
    const asked = everyone(120, 200);
    const said = await kubectl(['exec', '-n', SYSTEM, 'deployment/tollgate-redis', '--', 'sh', '-c', FLUSH]);
    expect(said.trim()).toBe('OK');
    expect(failures(await asked)).toEqual([]);
    await accountsAgree();
  });

  it('a proxy that is killed comes back, and every call that the provider was paid for is in the ledger', async () => {
    const asked = everyone(60, 200);
    await kubectl(['exec', '-n', namespace.name, pods[0] ?? '', '-c', 'app', '--', 'node', '--eval', KILL_PROXY]);
    await asked;
    await eventually(
      'it was started again',
      () => podsOf(namespace.name, 'app'),
      (found) => found.some(({ name, proxy }) => name === pods[0] && proxy?.restarts === 1 && proxy.ready),
    );
    expect(await ask(namespace.name, pods[0] ?? '')).toMatchObject([{ ok: true }]);
    const nano = await billed();
    // What it had sent and not heard of is charged at its bound: never less than the bill, and not much more.
    const { nano: charged } = await eventually(
      `the ledger has ${String(nano)} or more`,
      () => chargedTo(namespace.name),
      (found) => found.nano >= nano,
    );
    expect(charged - nano).toBeLessThanOrEqual(nanoOf(HOLD) * BigInt(AT_ONCE));
  });
});

describe('a Job that opts in', () => {
  let namespace: StoryNamespace;
  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('job');
    await deployProvider(namespace.name);
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  it('completes, and what it spent is in the ledger', async () => {
    const call = `
      const { OPENAI_BASE_URL: url } = process.env;
      const body = JSON.stringify({ model: 'gpt-4o', max_tokens: 50, messages: [{ role: 'user', content: 'hello' }] });
      const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-the-teams-own' };
      const answer = await fetch(url + '/chat/completions', { method: 'POST', headers, body });
      console.log(url, answer.status);`;
    await apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'nightly', namespace: namespace.name, annotations: { 'tollgate.dev/inject': 'true' } },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                name: 'nightly',
                image: 'localhost/tollgate-server:dev',
                imagePullPolicy: 'IfNotPresent',
                command: ['node', '--input-type=module', '--eval', call],
                env: [{ name: 'OPENAI_BASE_URL', value: `http://mock-provider.${namespace.name}.svc/v1` }],
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
              },
            ],
          },
        },
      },
    });
    await kubectl(['wait', '--for=condition=Complete', 'job/nightly', '-n', namespace.name, '--timeout=150s']);
    const said = await kubectl(['logs', 'job/nightly', '-c', 'nightly', '-n', namespace.name]);
    expect(said.trim()).toBe('http://127.0.0.1:4100/openai/v1 200');
    const { calls, billedNano } = await billOf(namespace.name);
    expect(calls).toBe(1);
    // The proxy delivers it before it ends, which is after the application has.
    expect(await chargedTo(namespace.name)).toEqual({ calls, nano: BigInt(billedNano) });
  });
});
