/** `tollgate grant secret|budget-admin`: the rights that conditions and the chart's notes speak of. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { GrantOptions } from '../cluster/grant/grant.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { loadCluster, withCluster, withNamespace, withSystemNamespace } from './cluster-options.ts';

const WHAT = ['user', 'group', 'serviceaccount'] as const;
const KIND = { user: 'User', group: 'Group', serviceaccount: 'ServiceAccount' } as const;

interface AdminOptions extends GrantOptions {
  readonly kind: (typeof WHAT)[number];
}

export const addGrant = (program: Command, io: Io): void => {
  const group = program.command('grant').description('print or apply the least rights that something needs');
  withApply(
    withSystemNamespace(
      group
        .command('secret')
        .description(
          'let the operator see whether a Secret that a ModelRoute names is there (condition SecretNotReadable): get on that one name, of which it reads the metadata only',
        )
        .argument('<name>', 'of the Secret, in the namespace of -n', parseSecret),
    ),
  ).action(async (name: string, options: GrantOptions) => {
    const { grantSecret } = await loadCluster();
    await grantSecret(name, options, io);
  });
  withApply(
    group
      .command('budget-admin')
      .description(
        'let somebody write the budgets of a namespace: binds them to ClusterRole tollgate-budget-admin there',
      )
      .argument('<name>', 'as the cluster knows them; a ServiceAccount is namespace:name')
      .addOption(new Option('--kind <kind>', 'what the name is of').choices(WHAT).default('user')),
  ).action(async (name: string, { kind, ...options }: AdminOptions) => {
    if (kind === 'serviceaccount' && !/^[^:]+:[^:]+$/.test(name)) {
      throw new CliError(`a ServiceAccount is written namespace:name, and not ${name}`, {
        todo: `such as: grant budget-admin ${options.namespace ?? 'default'}:default --kind serviceaccount`,
        exitCode: EXIT.usage,
      });
    }
    const { grantBudgetAdmin } = await loadCluster();
    await grantBudgetAdmin({ kind: KIND[kind], name }, options, io);
  });
};

const withApply = (command: Command): Command =>
  withCluster(withNamespace(command)).option('--apply', 'apply it to the cluster instead of printing it');

const parseSecret = (text: string): string => {
  if (text.length > 253 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text))
    throw new InvalidArgumentError('The name of a Secret has lower-case letters, digits, "-" and ".".');
  return text;
};
