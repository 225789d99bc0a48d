/** `tollgate inject -f FILE`: manifests with the proxy in them, as the injector would put it there. */
import type { Command } from 'commander';
import type { InjectOptions } from '../cluster/inject/inject.ts';
import type { Io } from '../io.ts';
import { loadCluster, withCluster, withNamespace, withSystemNamespace } from './cluster-options.ts';

export const addInject = (program: Command, io: Io): void => {
  const command = program
    .command('inject')
    .description(
      'print manifests with the proxy in the pod templates of their workloads, as the injector of the cluster would put it there; what a manifest cannot get goes to stderr',
    )
    .requiredOption('-f, --filename <file>', 'manifests in YAML or JSON; - reads what is piped in')
    .option('--settings <file>', 'how to inject, as injection.yaml of the ConfigMap; then no cluster is asked');
  withSystemNamespace(withCluster(withNamespace(command))).action(async (options: InjectOptions) => {
    const { inject } = await loadCluster();
    await inject(options, io);
  });
};
