/** A real API server, a real server over a real database, and operators as processes of their own with the rights of the chart. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@tollgate/store/testing';
import { OPERATOR_CLUSTER_RULES, operatorNamespaceRules, type RbacRule } from '../rbac.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';

export interface OperatorProcess {
  readonly pid: number;
  /** Of the admin port. */
  readonly url: string;
  isLeading(): Promise<boolean>;
  /** Resolves with the exit code, null where it was killed. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface OperatorOptions {
  /** As it is shipped, which `make bundles` built, with the settings that it has by itself; else its sources, in a hurry. */
  readonly isShipped?: boolean;
  /** What the file of the injector's settings says; else it is told of none. */
  readonly injection?: object;
}

export interface OperatorCluster {
  readonly api: ControlPlane;
  readonly serverUrl: string;
  /** By which the operator asks the server. */
  operatorToken(): Promise<string>;
  startOperator(options?: OperatorOptions): Promise<OperatorProcess>;
  stop(): Promise<void>;
}

export const SYSTEM = 'tollgate-system';
const ACCOUNT = 'tollgate-operator';
const LEASE = 'tollgate-operator';
const SERVER_MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
const OPERATOR_MAIN = fileURLToPath(new URL('../main-operator.ts', import.meta.url));
const DOCKERFILE = fileURLToPath(new URL('../../Dockerfile', import.meta.url));
const OPERATOR_BUNDLE = fileURLToPath(new URL('../../dist/operator.js', import.meta.url));
/** What a test would only wait for. */
const HURRY = {
  TOLLGATE_LEASE_DURATION_MS: '6000',
  TOLLGATE_LEASE_RENEW_MS: '4000',
  TOLLGATE_LEASE_RETRY_MS: '500',
  TOLLGATE_STATUS_INTERVAL_MS: '500',
  TOLLGATE_AUDIT_INTERVAL_MS: '500',
  TOLLGATE_UNUSED_AFTER_MS: '1',
};

export const startOperatorCluster = async (): Promise<OperatorCluster> => {
  const home = await mkdtemp(join(tmpdir(), 'tollgate-operator-'));
  const postgres = await startPostgres();
  const api = await startControlPlane({ crds: true });
  const children: ChildProcess[] = [];
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(home, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  await api.kubectl(['create', 'namespace', SYSTEM]);
  await api.kubectl(['create', 'serviceaccount', ACCOUNT, '-n', SYSTEM]);
  await api.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rbac() }));
  const kubeconfig = await api.kubeconfigOf({
    commonName: `system:serviceaccount:${SYSTEM}:${ACCOUNT}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${SYSTEM}`, 'system:authenticated'],
  });
  const token = await api.tokenOf({ namespace: SYSTEM, serviceAccount: ACCOUNT, audiences: ['tollgate-management'] });

  const run = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const child = spawn(process.execPath, ['--conditions=source', ...args], {
      cwd: home,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return { child, ready: await readyLine(child) };
  };
  const { ready: server } = await run([SERVER_MAIN, 'server'], {
    DATABASE_URL: await postgres.database(),
    TOLLGATE_LISTEN: '127.0.0.1:0',
    TOLLGATE_RESOURCES_FROM: 'operator',
    TOLLGATE_OPERATOR_SERVICE_ACCOUNT: `${SYSTEM}/${ACCOUNT}`,
    TOLLGATE_KUBERNETES_URL: api.url,
    TOLLGATE_KUBERNETES_CA_FILE: api.caFile,
    TOLLGATE_KUBERNETES_TOKEN_FILE: await file('server-token', api.adminToken),
  });
  const serverUrl = String(server['url']);
  const tokenFile = await file('operator-token', token);

  return {
    api,
    serverUrl,
    operatorToken: () => readFile(tokenFile, 'utf8'),
    startOperator: async ({ isShipped = false, injection } = {}) => {
      const { child, ready } = await run(isShipped ? [...(await shippedFlags()), OPERATOR_BUNDLE] : [OPERATOR_MAIN], {
        KUBECONFIG: kubeconfig,
        TOLLGATE_SERVER_URL: serverUrl,
        TOLLGATE_TOKEN_FILE: tokenFile,
        TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
        ...(isShipped ? {} : HURRY),
        ...(injection === undefined
          ? {}
          : { TOLLGATE_INJECTION_FILE: await file('injection.json', JSON.stringify(injection)) }),
      });
      const url = String(ready['address']);
      return {
        pid: Number(ready['pid']),
        url,
        isLeading: async () => ((await (await fetch(`${url}/status`)).json()) as { leading: boolean }).leading,
        end: async (signal) => {
          const exited = once(child, 'exit') as Promise<[number | null]>;
          child.kill(signal);
          return (await exited)[0];
        },
      };
    },
    stop: async () => {
      for (const child of children.reverse()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await api.stop();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
};

/** What the image starts Node with. */
const shippedFlags = async (): Promise<readonly string[]> => {
  const command = /^CMD (\[.*\])$/m.exec(await readFile(DOCKERFILE, 'utf8'))?.[1];
  if (command === undefined) throw new Error(`${DOCKERFILE} has no CMD as a list`);
  return (JSON.parse(command) as readonly string[]).slice(0, -1);
};

/** The line that says where it listens. Rejects with what it said where it ends before. */
const readyLine = (child: ChildProcess): Promise<Readonly<Record<string, unknown>>> =>
  new Promise((resolve, reject) => {
    let said = '';
    let rest = '';
    const take = (chunk: Buffer): void => {
      said = `${said}${chunk.toString()}`.slice(-20_000);
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.includes('"msg":"ready"')) resolve(JSON.parse(line) as Readonly<Record<string, unknown>>);
        if (process.env['TOLLGATE_TEST_LOG'] !== undefined) process.stderr.write(`${line}\n`);
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => reject(new Error(`ended with ${String(code)} before it was ready:\n${said}`)));
  });

const rbac = (): readonly object[] => {
  const rules = (list: readonly RbacRule[]) =>
    list.map(({ groups, resources, verbs, resourceNames }) => ({
      apiGroups: groups,
      resources,
      verbs,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: SYSTEM }];
  const group = 'rbac.authorization.k8s.io';
  const apiVersion = `${group}/v1`;
  const here = { name: ACCOUNT, namespace: SYSTEM };
  return [
    { apiVersion, kind: 'ClusterRole', metadata: { name: ACCOUNT }, rules: rules(OPERATOR_CLUSTER_RULES) },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: ACCOUNT },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: ACCOUNT },
      subjects,
    },
    { apiVersion, kind: 'Role', metadata: here, rules: rules(operatorNamespaceRules(LEASE)) },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: here,
      roleRef: { apiGroup: group, kind: 'Role', name: ACCOUNT },
      subjects,
    },
  ];
};
