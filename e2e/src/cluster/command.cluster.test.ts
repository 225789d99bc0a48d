/** A platform engineer goes by the command alone: who calls models, opt in, is all well, what would uninstalling take. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, deployApps, deployProvider, isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl, type Said } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const BUNDLE = join(import.meta.dirname, '../../../packages/cli/dist/tollgate.js');

const tollgate = (...args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    execFile(process.execPath, [BUNDLE, ...args], { env: process.env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });

interface Finding {
  readonly severity: string;
  readonly object: string;
  readonly message: string;
}

const findingsOf = ({ stdout, stderr }: Said): readonly Finding[] => {
  try {
    return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings;
  } catch {
    throw new Error(stderr);
  }
};

describe('the command on a cluster', () => {
  let namespace: StoryNamespace;
  let pod = '';

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('command');
    await deployProvider(namespace.name);
    await deployApps(namespace.name, ['app']);
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'team', namespace: namespace.name },
      spec: { limits: [{ name: 'daily-cost', cost: { max: '1.00' }, period: 'Day' }] },
    });
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  it('scan finds the app, which injection would cover with its own base URL', async () => {
    const { code, stdout } = await tollgate('scan', '-n', namespace.name);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`${namespace.name} +deployment/app +1 +openai +no +yes\n`));
    expect(stdout).toContain("the pod's own base URL is kept: calls to openai go to http://mock-provider");
    expect(stdout).toContain(`kubectl annotate deployment/app -n ${namespace.name} tollgate.dev/inject=true`);
    expect(stdout).not.toContain('sk-the-teams-own');
  });

  it('does what scan says, and check finds nothing wrong', async () => {
    await kubectl(['annotate', 'deployment/app', '-n', namespace.name, 'tollgate.dev/inject=true']);
    await isRolledOut(namespace.name, 'app');
    const pods = await eventually(
      'only the new pod is left',
      () => podsOf(namespace.name, 'app'),
      (found) => found.length === 1 && found[0]?.proxy?.ready === true,
    );
    pod = pods[0]?.name ?? '';
    expect(await ask(namespace.name, pod)).toMatchObject([{ ok: true }]);
    const said = await eventually(
      'nothing is wrong',
      () => tollgate('check', '-n', namespace.name, '-o', 'json'),
      ({ code }) => code === 0,
    );
    const well = findingsOf(said)
      .filter(({ severity }) => severity === 'ok')
      .map(({ object, message }) => `${object}: ${message}`);
    for (const words of [
      /^crds: 3 kinds/,
      /^deployment\/tollgate-operator .*: 2 of 2 ready/,
      /^deployment\/tollgate-injector .*: 2 of 2 ready/,
      /^deployment\/tollgate-server .*: 2 of 2 ready/,
      /^mutatingwebhookconfiguration\/.*valid caBundle/,
      /is what the webhooks trust; its certificate ends in \d+ days/,
      /a pod that asks for the proxy gets it/,
      /^lease\/.*leads/,
      /the server reaches its database/,
      /^pods: 1 carry the proxy/,
    ])
      expect(well).toContainEqual(expect.stringMatching(words));
  });

  it('check --proxy speaks with the proxy in the pod', async () => {
    const said = await tollgate('check', '--proxy', pod, '-n', namespace.name, '-o', 'json');
    const findings = findingsOf(said);
    expect(findings.filter(({ severity }) => severity === 'error' || severity === 'warning')).toEqual([]);
    const text = findings.map(({ message }) => message).join('\n');
    expect(text).toContain('the proxy runs and has started');
    expect(text).toContain('its image is what new pods get');
    expect(text).toMatch(/its policy is in force .* the server was heard of \d+ s ago/);
    expect(text).toContain('its spool has room');
    expect(said.code).toBe(0);
  });

  it('check says which server is missing, and is well again once it is back', async () => {
    const scale = (replicas: number): Promise<string> =>
      kubectl(['scale', 'deployment/tollgate-injector', '-n', SYSTEM, `--replicas=${String(replicas)}`]);
    await scale(0);
    try {
      const said = await eventually(
        'it is told',
        () => tollgate('check', '-n', namespace.name),
        ({ code }) => code === 1,
      );
      expect(said.stdout).toMatch(/^error +/);
    } finally {
      await scale(2);
      await isRolledOut(SYSTEM, 'tollgate-injector');
    }
    await eventually(
      'nothing is wrong again',
      () => tollgate('check', '-n', namespace.name),
      ({ code }) => code === 0,
    );
  });

  it('uninstall --dry-run names what goes, what stays and who still carries the proxy, and changes nothing', async () => {
    const { code, stdout } = await tollgate('uninstall', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain(`deployment/tollgate-server -n ${SYSTEM}`);
    expect(stdout).toMatch(/Stays[^]*secret\/tollgate-stores[^]*crd\/tokenbudgets\.tollgate\.dev/);
    expect(stdout).toContain(`deployment/app -n ${namespace.name} (1 pod)`);
    expect(stdout).toContain(`kubectl annotate deployment/app -n ${namespace.name} tollgate.dev/inject-`);
    expect(stdout).toContain(`helm uninstall tollgate -n ${SYSTEM}`);
    expect((await tollgate('check', '-n', namespace.name)).code).toBe(0);
  });
});
