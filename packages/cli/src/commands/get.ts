/** `tollgate get tokenbudgets|modelroutes [NAME]`: what kubectl would print, from the running server. */
import type { Command } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { withConnection, withServer } from './connection-options.ts';
import type { ViewOptions } from './connection-options.ts';

interface GetOptions extends ViewOptions {
  readonly output?: string;
}

const OUTPUTS = ['wide', 'json', 'yaml', 'name'] as const;

/** The kinds that have figures to show, and where the server lists them. */
const PATHS = { TokenBudget: '/v1/budgets', ModelRoute: '/v1/routes' } as const;

export const addGet = (program: Command, io: Io): void => {
  withConnection(
    program
      .command('get')
      .description('show budgets or routes with what they spent, in the columns of kubectl')
      .argument('<kind>', 'tokenbudgets (tb) or modelroutes (mroute)')
      .argument('[name]', 'only this one')
      .option('-n, --namespace <namespace>', 'only this namespace (default: all); in a cluster as an account of it')
      .option('-o, --output <format>', `${OUTPUTS.join(', ')} (default: a table)`),
  ).action(async (kindName: string, name: string | undefined, options: GetOptions) => {
    const kind = await findKind(kindName);
    const output = OUTPUTS.find((known) => known === options.output);
    if (options.output !== undefined && output === undefined) {
      throw new CliError(`unknown output format "${options.output}"`, {
        todo: `use one of ${OUTPUTS.join(', ')}`,
        exitCode: EXIT.usage,
      });
    }
    const { askServer } = await import('../server/ask-server.ts');
    const { resourcesFrom, metaOf } = await import('../server/resources.ts');
    const all = resourcesFrom(await withServer(options, io, (server) => askServer(server, PATHS[kind.kind])));
    const found = all.filter((resource) => {
      const meta = metaOf(resource);
      return (
        (name === undefined || meta.name === name) &&
        (options.namespace === undefined || meta.namespace === options.namespace)
      );
    });
    if (name !== undefined && found.length === 0) {
      throw new CliError(
        `${kind.plural}.tollgate.dev "${name}" not found${options.namespace === undefined ? '' : ` in namespace ${options.namespace}`}`,
        {
          todo: `see what there is: tollgate get ${kind.plural}`,
        },
      );
    }
    io.stdout(await render(found, { kind, output, isOne: name !== undefined && found.length === 1, now: io.now() }));
    if (found.length === 0 && (output === undefined || output === 'wide')) {
      io.stderr(
        `No ${kind.plural} found${options.namespace === undefined ? '' : ` in namespace ${options.namespace}`}.\n`,
      );
    }
  });
};

interface KnownKind {
  readonly kind: keyof typeof PATHS;
  readonly plural: string;
  readonly columns: readonly {
    name: string;
    type: 'string' | 'integer' | 'date';
    jsonPath: string;
    priority?: number;
  }[];
}

const findKind = async (text: string): Promise<KnownKind> => {
  const { ModelRouteSchema, TokenBudgetSchema } = await import('@tollgate/api/schema');
  const wanted = text.toLowerCase().replace(/\.tollgate\.dev$/, '');
  for (const [kind, schema] of [
    ['TokenBudget', TokenBudgetSchema],
    ['ModelRoute', ModelRouteSchema],
  ] as const) {
    const meta = schema.meta()?.k8s?.kind;
    if (meta !== undefined && [meta.plural, meta.singular, ...meta.shortNames].includes(wanted)) {
      return { kind, plural: meta.plural, columns: meta.columns };
    }
  }
  throw new CliError(`unknown kind "${text}"`, {
    todo: 'use tokenbudgets (tb) or modelroutes (mroute)',
    exitCode: EXIT.usage,
  });
};

interface RenderOptions {
  readonly kind: KnownKind;
  readonly output: (typeof OUTPUTS)[number] | undefined;
  readonly isOne: boolean;
  readonly now: number;
}

const render = async (resources: readonly unknown[], { kind, output, isOne, now }: RenderOptions): Promise<string> => {
  const { metaOf } = await import('../server/resources.ts');
  if (output === 'name')
    return resources.map((r) => `${kind.plural.replace(/s$/, '')}.tollgate.dev/${metaOf(r).name}\n`).join('');
  if (output === 'json' || output === 'yaml') {
    const whole = isOne ? resources[0] : { apiVersion: 'v1', kind: 'List', items: resources };
    if (output === 'json') return `${JSON.stringify(whole, null, 2)}\n`;
    const { stringify } = await import('yaml');
    return stringify(whole, { aliasDuplicateObjects: false });
  }
  if (resources.length === 0) return '';
  const { printResources } = await import('../format/resource-table.ts');
  const namespaces = new Set(resources.map((resource) => metaOf(resource).namespace));
  return printResources(resources, {
    columns: kind.columns,
    isWide: output === 'wide',
    withNamespace: namespaces.size > 1,
    now,
  });
};
