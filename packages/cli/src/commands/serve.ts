/** `tollgate serve` (and `proxy`, the same): the control plane, the database and the proxy on this machine. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { ServeOptions } from '../serve/serve.ts';
import { parseNamespace } from '../namespace-option.ts';
import { parsePort, parseWhole } from '../number-options.ts';

export const addServe = (program: Command, io: Io): void => {
  program
    .command('serve')
    .alias('proxy')
    .description('serve the manifests of a folder: proxy, budgets and records on this machine, with no cluster')
    .requiredOption('--resources <dir>', 'folder of manifests (or one file); edits take effect at once')
    .option('--mock', 'answer with simulated answers; nobody is charged and no key is needed')
    .option('--state <dir>', 'where spend is kept (default: ~/.local/state/tollgate; TOLLGATE_STATE)')
    .option('--port <port>', 'port of the proxy on 127.0.0.1; 0 takes any free one', parsePort, 4100)
    .option('--admin-port <port>', "port of the proxy's metrics and probes", parsePort, 4190)
    .option('--server-port <port>', 'port of the server that get and explain ask', parsePort, 4180)
    .option('--secrets <dir>', 'provider keys that routes name, as DIR/<name>/<key> (TOLLGATE_SECRETS_DIR)')
    .option('--database-url <url>', 'keep records in this PostgreSQL instead of the built-in one (DATABASE_URL)')
    .option('--namespace <namespace>', 'namespace that callers of this machine belong to', parseNamespace, 'default')
    .option('--workload <name>', 'workload that they belong to', 'local')
    .option('--team <name>', 'team that they belong to (default: the namespace)')
    .option('--label <key=value>', 'label of theirs, for selectors; may be repeated', collect, [])
    .option('--require-budget', 'refuse calls that no budget matches')
    .option('--grace <seconds>', 'how long open calls may take to end at a stop', parseWhole, 25)
    .option('--verbose', 'print what the processes log')
    .action(async (options: ServeOptions) => {
      const { serve } = await import('../serve/serve.ts');
      await serve(options, io);
    });
};

const collect = (value: string, former: readonly string[]): readonly string[] => [...former, value];
