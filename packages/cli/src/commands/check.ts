/** `tollgate check`: what is wrong with an installation, or with the proxy of one pod. */
import { InvalidArgumentError, type Command } from 'commander';
import type { ReportOptions } from '../cluster/report-options.ts';
import { CommandExit } from '../command-exit.ts';
import { EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { loadCluster, withCluster, withReport, withSystemNamespace } from './cluster-options.ts';

interface CheckOptions extends ReportOptions {
  readonly proxy?: string;
}

export const addCheck = (program: Command, io: Io): void => {
  const command = program
    .command('check')
    .description(
      'check Tollgate in a cluster, or the proxy of one pod; each finding has a hint, and any error makes the exit code 1',
    )
    .option('--proxy <pod>', 'check the proxy of this pod, in the namespace of -n', parsePod)
    .option('-n, --namespace <namespace>', 'only budgets and pods of this namespace (default: all)')
    .option('-A, --all-namespaces', 'all namespaces, which is the default');
  withReport(withSystemNamespace(withCluster(command))).action(async ({ proxy, ...options }: CheckOptions) => {
    const { check, checkProxy } = await loadCluster();
    const isWell = proxy === undefined ? await check(options, io) : await checkProxy(proxy, options, io);
    if (!isWell) throw new CommandExit(EXIT.failed);
  });
};

const parsePod = (text: string): string => {
  if (!/^(pods?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text))
    throw new InvalidArgumentError('Name a pod, as kubectl get pods prints it; its namespace goes to -n.');
  return text;
};
