/** `tollgate uninstall`: what goes, what stays, and in which order. */
import type { Command } from 'commander';
import type { UninstallOptions } from '../cluster/uninstall/uninstall.ts';
import type { Io } from '../io.ts';
import { loadCluster, withCluster, withReport, withSystemNamespace } from './cluster-options.ts';

export const addUninstall = (program: Command, io: Io): void => {
  const command = program
    .command('uninstall')
    .description(
      'say what uninstalling removes, what stays, which pods still carry the proxy, and the commands in their order; changes nothing without --yes',
    )
    .option('--dry-run', 'change nothing, whatever else is said')
    .option(
      '--yes',
      'remove the webhooks and the policy that requires injection, so that no pod waits for them; all else is left to helm uninstall',
    );
  withReport(withSystemNamespace(withCluster(command))).action(async (options: UninstallOptions) => {
    const { uninstall } = await loadCluster();
    await uninstall(options, io);
  });
};
