/** The options that the commands for a Kubernetes cluster share, named as kubectl names them. */
import { Option, type Command } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import type * as ClusterCommands from '../cluster/index.ts';

/** Where the command's other half lies: a file of its own, which the server's image does without. */
export const loadCluster = async (): Promise<typeof ClusterCommands> => {
  try {
    return await import('../cluster/index.ts');
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new CliError('this installation of tollgate has no commands for Kubernetes clusters', {
      todo: 'run it on your machine, as `make build` made it; the image of the server leaves them out',
      exitCode: EXIT.usage,
      cause,
    });
  }
};

export const withCluster = (command: Command): Command =>
  command
    .option('--context <name>', 'a context of the kubeconfig (default: its current one)')
    .option('--kubeconfig <file>', 'the kubeconfig (default: KUBECONFIG, else ~/.kube/config)');

export const withNamespace = (command: Command): Command =>
  command.option('-n, --namespace <namespace>', "the namespace (default: the context's)");

export const withAllNamespaces = (command: Command): Command =>
  withNamespace(command).option('-A, --all-namespaces', 'all namespaces');

export const withSystemNamespace = (command: Command): Command =>
  command.option('--system-namespace <namespace>', 'where Tollgate is installed (default: found by its labels)');

export const withReport = (command: Command): Command =>
  command.addOption(new Option('-o, --output <format>', 'instead of text').choices(['json', 'yaml']));
