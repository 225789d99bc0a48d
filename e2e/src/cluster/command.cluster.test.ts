/** A platform engineer goes by the command alone: who calls models, opt in, is all well, what would uninstalling take. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ask, deployApps, deployProvider, isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl, type Said } from './testing/kubectl.ts';
import { instanceOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const ROOT = join(import.meta.dirname, '../../..');
const BUNDLE = join(ROOT, 'packages/cli/dist/tollgate.js');

const said = (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> =>
  new Promise((resolve) => {
    execFile(program, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });

const tollgate = (...args: readonly string[]): Promise<Said> => said(process.execPath, [BUNDLE, ...args], process.env);

/** As kubectl finds it, where the README says that it lies. */
const plugin = (...args: readonly string[]): Promise<Said> =>
  said(process.env['TOLLGATE_KUBECTL'] ?? 'kubectl', ['tollgate', ...args], {
    ...process.env,
    PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
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
  let requestId = '';

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
    const [outcome] = await ask(namespace.name, pod);
    expect(outcome).toMatchObject({ ok: true, requestId: expect.any(String) });
    requestId = outcome?.requestId ?? '';
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

  it('kubectl tollgate asks the server: budgets, a call, what was spent, and who has money in hand', async () => {
    const explained = await eventually(
      'the call is charged',
      () => plugin('explain', requestId),
      ({ code }) => code === 0,
    );
    expect(explained).toMatchObject({ stderr: '', stdout: expect.stringContaining(`${namespace.name}/team`) });
    const budgets = await plugin('get', 'tokenbudgets', 'team', '-n', namespace.name, '-o', 'json');
    expect(JSON.parse(budgets.stdout)).toMatchObject({ metadata: { name: 'team', namespace: namespace.name } });
    const seen = await plugin('usage', '--by', 'model', '-n', namespace.name);
    expect(seen.stdout).toMatch(/^MODEL .*\nopenai\/gpt-4o +1 /);
    expect((await plugin('usage', '--by', 'team')).stdout).toContain(namespace.name);
    expect((await plugin('instances', 'list')).stdout).toContain(`${namespace.name}/app (${pod})`);
    expect(await plugin('unresolved', 'list')).toMatchObject({ code: 0 });
  });

  it('tells the server something, too, and what it answers to that', async () => {
    const instance = await instanceOf(namespace.name, pod);
    expect(await plugin('instances', 'abandon', instance, '--reason', 'to see')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the server answered 409: .*\n.*--force/),
    });
  });

  it('asks the same as tollgate, where an option names the cluster; else there is only the machine', async () => {
    const systemNamespace = ['--system-namespace', SYSTEM];
    const { stdout } = await tollgate('get', 'tokenbudgets', '-n', namespace.name, ...systemNamespace, '-o', 'name');
    expect(stdout).toBe('tokenbudget.tollgate.dev/team\n');
    const home = await mkdtemp(join(tmpdir(), 'tollgate-no-server-'));
    try {
      expect(await tollgate('get', 'tokenbudgets', '--state', home)).toMatchObject({
        code: 69,
        stderr: expect.stringContaining('the server of a cluster is asked by: kubectl tollgate'),
      });
    } finally {
      await rm(home, { recursive: true });
    }
  });

  it('tells an account without rights which one is missing, and shows its namespace with those that the docs name', async () => {
    const team = 'asker';
    await kubectl(['create', 'serviceaccount', team, '-n', namespace.name]);
    const token = (await kubectl(['create', 'token', team, '-n', namespace.name])).trim();
    const config = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '-o', 'json'])) as {
      readonly users: readonly { readonly name: string }[];
    };
    const folder = await mkdtemp(join(tmpdir(), 'tollgate-asker-'));
    const kubeconfig = join(folder, 'kubeconfig');
    const users = config.users.map(({ name }) => ({ name, user: { token } }));
    await writeFile(kubeconfig, JSON.stringify({ ...config, users }));
    const asTeam = (...args: readonly string[]): Promise<Said> => plugin(...args, '--kubeconfig', kubeconfig);
    try {
      expect(await asTeam('get', 'tokenbudgets', '-n', namespace.name)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`you may not list Deployments in namespace ${SYSTEM}`),
      });
      const page = await readFile(join(ROOT, 'docs/cluster.md'), 'utf8');
      const { rules } = parse(/```yaml\n([^]*?)```/.exec(page)?.[1] ?? '') as { readonly rules: readonly object[] };
      const granted = (where: string, name: string, some: readonly object[]): readonly object[] => [
        { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace: where }, rules: some },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name, namespace: where },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
          subjects: [{ kind: 'ServiceAccount', name: team, namespace: namespace.name }],
        },
      ];
      await apply(
        ...granted(SYSTEM, namespace.name, rules.slice(0, -1)),
        ...granted(namespace.name, team, rules.slice(-1)),
      );
      expect(await asTeam('get', 'tokenbudgets', '-n', namespace.name)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^NAME .*\nteam /),
      });
      expect(await asTeam('instances', 'list')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`you may not ask for a token of ServiceAccount ${SYSTEM}/default`),
      });
    } finally {
      await kubectl(['delete', 'role,rolebinding', namespace.name, '-n', SYSTEM, '--ignore-not-found']);
      await rm(folder, { recursive: true });
    }
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
