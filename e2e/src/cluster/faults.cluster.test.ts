/** What breaks in a cluster on an ordinary day, while an application calls. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, deployProvider, isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl } from './testing/kubectl.ts';
import { chargedTo, nanoOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

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
  let team: Team;
  beforeAll(async () => {
    await ensureRelease();
    team = await makeTeam('faults', { limit: LIMIT, replicas: 2, podSpec: { shareProcessNamespace: true } });
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  it('no call fails while the servers are replaced one by one', async () => {
    const asked = team.ask({ calls: 300, atOnce: AT_ONCE, pauseMs: 200 });
    await kubectl(['rollout', 'restart', 'deployment/tollgate-server', '-n', SYSTEM]);
    await isRolledOut(SYSTEM, 'tollgate-server');
    expect(failures(await asked)).toEqual([]);
    await team.accountsAgree();
  });

  it('no call fails while Redis forgets everything', async () => {
    const asked = team.ask({ calls: 120, atOnce: AT_ONCE, pauseMs: 200 });
    const said = await kubectl(['exec', '-n', SYSTEM, 'deployment/tollgate-redis', '--', 'sh', '-c', FLUSH]);
    expect(said.trim()).toBe('OK');
    expect(failures(await asked)).toEqual([]);
    await team.accountsAgree();
  });

  it('a proxy that is killed comes back, and every call that the provider was paid for is in the ledger', async () => {
    const asked = team.ask({ calls: 60, atOnce: AT_ONCE, pauseMs: 200 });
    await kubectl(['exec', '-n', team.namespace, team.pods[0] ?? '', '-c', 'app', '--', 'node', '--eval', KILL_PROXY]);
    await asked;
    await eventually(
      'it was started again',
      () => podsOf(team.namespace, 'app'),
      (found) => found.some(({ name, proxy }) => name === team.pods[0] && proxy?.restarts === 1 && proxy.ready),
    );
    expect(await ask(team.namespace, team.pods[0] ?? '')).toMatchObject([{ ok: true }]);
    const nano = await team.billed();
    // What it had sent and not heard of is charged at its bound: never less than the bill, and not much more.
    const { nano: charged } = await eventually(
      `the ledger has ${String(nano)} or more`,
      () => chargedTo(team.namespace),
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
