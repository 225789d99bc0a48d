/**
 * `make e2e` and `make e2e-kind`: a cluster, our images in it, and jest over e2e/src/cluster. The suite itself needs only
 * KUBECONFIG: `run-suite.ts existing` runs it on the cluster that this names, where the images must be already.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKind } from './kind.ts';
import { startOneNode } from './one-node.ts';
import { runCommand } from './run-command.ts';
import type { SuiteCluster } from './suite-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const LOGS = join(ROOT, 'dist/e2e-logs');
const OURS = ['tollgate-proxy', 'tollgate-operator', 'tollgate-server'].map((name) => `localhost/${name}:dev`);

const say = (line: string): void => {
  process.stderr.write(`e2e: ${line}\n`);
};

const existing = async (): Promise<SuiteCluster> => {
  const kubeconfig = process.env['KUBECONFIG'];
  if (kubeconfig === undefined) throw new Error('KUBECONFIG names no cluster');
  await runCommand('kubectl', ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
  const leaveIt = async (): Promise<void> => undefined;
  return {
    kubeconfig,
    tools: { kubectl: 'kubectl', helm: 'helm' },
    helmValues: async () => JSON.parse(process.env['TOLLGATE_HELM_VALUES'] ?? '{}') as Record<string, unknown>,
    restartApiServer: process.env['TOLLGATE_RESTART_API_SERVER'] ?? null,
    load: leaveIt,
    saveLogs: leaveIt,
    remove: leaveIt,
  };
};

const STARTS: Readonly<Record<string, (say: (line: string) => void) => Promise<SuiteCluster>>> = {
  'one-node': startOneNode,
  kind: startKind,
  existing,
};

const runJest = async ({ kubeconfig, tools, ...cluster }: SuiteCluster, args: readonly string[]): Promise<number> => {
  const helmValues = await cluster.helmValues();
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    TOLLGATE_KUBECTL: tools.kubectl,
    TOLLGATE_HELM: tools.helm,
    ...(cluster.restartApiServer === null ? {} : { TOLLGATE_RESTART_API_SERVER: cluster.restartApiServer }),
    TOLLGATE_HELM_VALUES: JSON.stringify(helmValues),
    // A cluster that is kept from run to run gets this run's images.
    TOLLGATE_E2E_RUN: randomUUID(),
  };
  const child = spawn(process.execPath, [...jest, '--config', 'jest.cluster.config.js', '--runInBand', ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  // Ctrl-C reaches jest too, and what comes after it still has to be done here.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', ignore);
  return code ?? 1;
};

const keepLogs = async (cluster: SuiteCluster): Promise<void> => {
  await rm(LOGS, { recursive: true, force: true });
  await mkdir(LOGS, { recursive: true });
  // That they cannot be had must not hide what failed.
  await cluster.saveLogs(LOGS).then(
    () => say(`the cluster's logs are in ${LOGS}`),
    (error: unknown) => say(`the cluster's logs could not be saved: ${String(error)}`),
  );
};

const run = async ([which = '', ...args]: readonly string[]): Promise<number> => {
  const start = STARTS[which];
  if (start === undefined) {
    process.stderr.write('usage: run-suite.ts one-node|kind|existing [JEST ARGUMENTS]\n');
    return 64;
  }
  const cluster = await start(say);
  try {
    say('loading the images');
    await cluster.load(OURS);
    const code = await runJest(cluster, args);
    if (code !== 0) await keepLogs(cluster);
    return code;
  } finally {
    await cluster.remove();
  }
};

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
