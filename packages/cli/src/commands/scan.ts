/** `tollgate scan`: who calls language models in a cluster, and what injection would cover. */
import type { Command } from 'commander';
import type { ReportOptions } from '../cluster/report-options.ts';
import type { Io } from '../io.ts';
import { loadCluster, withAllNamespaces, withCluster, withReport, withSystemNamespace } from './cluster-options.ts';

export const addScan = (program: Command, io: Io): void => {
  const command = program
    .command('scan')
    .description(
      'list the workloads of a cluster that set keys or base URLs of language models, and what injection would cover; reads no Secret, writes nothing and needs no installation',
    );
  withReport(withSystemNamespace(withCluster(withAllNamespaces(command)))).action(async (options: ReportOptions) => {
    const { scan } = await loadCluster();
    await scan(options, io);
  });
};
