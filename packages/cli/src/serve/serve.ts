/** Runs one standalone instance in the terminal: says what is in force, what was refused, and how to use it. */
import { VERSION, makeLogger } from '@tollgate/runtime';
import { runStandalone } from '@tollgate/standalone';
import type { ManifestReport } from '@tollgate/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { printReady } from '../format/ready.ts';
import type { Io } from '../io.ts';
import { isNews } from '../log-line.ts';
import { cacheDirFrom, stateDirFrom } from '../state-option.ts';
import { untilStopped } from '../until-stopped.ts';

export interface ServeOptions {
  readonly resources: string;
  readonly mock?: boolean;
  readonly state?: string;
  readonly port: number;
  readonly adminPort: number;
  readonly serverPort: number;
  readonly secrets?: string;
  readonly databaseUrl?: string;
  readonly namespace: string;
  readonly workload: string;
  readonly team?: string;
  readonly label: readonly string[];
  readonly requireBudget?: boolean;
  readonly grace: number;
  readonly verbose?: boolean;
}

export const serve = async (options: ServeOptions, io: Io): Promise<void> => {
  const isVerbose = options.verbose === true;
  const isMock = options.mock === true;
  const say = (text: string): void => io.stderr(`tollgate: ${text}\n`);
  const stopped = untilStopped(io);
  const databaseUrl = options.databaseUrl ?? setting(io, 'DATABASE_URL');
  // A variable of that name may be another program's: say that it is taken.
  if (databaseUrl !== null)
    say(
      `records are kept in the PostgreSQL of ${options.databaseUrl === undefined ? 'DATABASE_URL' : '--database-url'}`,
    );
  const starting = runStandalone({
    resources: { path: options.resources },
    stateDir: stateDirFrom(options.state, io),
    databaseUrl,
    inMemory: false,
    cacheDir: cacheDirFrom(io),
    ports: { proxy: options.port, admin: options.adminPort, server: options.serverPort },
    subject: {
      namespace: options.namespace,
      workload: options.workload,
      labels: labelsFrom(options.label),
      team: options.team ?? options.namespace,
    },
    secretsDir: options.secrets ?? setting(io, 'TOLLGATE_SECRETS_DIR'),
    isMock,
    upstreams: {},
    requireBudget: options.requireBudget === true,
    programs: io.programs,
    env: io.env,
    graceMs: options.grace * 1000,
    now: io.now,
    pid: io.pid,
    log: makeLogger({
      process: 'serve',
      level: isVerbose ? 'info' : 'warn',
      version: VERSION,
      to: { write: io.stderr },
    }),
    onChildLine: (child, line) => {
      if (isVerbose || isNews(line)) io.stderr(`[${child}] ${line}\n`);
    },
    onManifests: (report) => say(manifestText(report, options.resources)),
  });
  const early = await Promise.race([starting.then(() => 'ready' as const), stopped.then(() => 'stopped' as const)]);
  const standalone = await starting;
  if (early === 'ready') io.stdout(printReady({ ...standalone, isMock, version: VERSION }));
  const end = early === 'ready' ? await Promise.race([stopped.then(() => null), standalone.broken]) : null;
  say('stopping: open calls may end, spend is written down');
  await standalone.stop();
  if (end !== null) {
    throw new CliError(end, {
      todo: 'start it again; what was spent is kept in the state directory',
      exitCode: EXIT.failed,
    });
  }
};

const setting = ({ env }: Io, name: string): string | null => env[name] || null;

const labelsFrom = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new CliError(`--label ${pair} is no key=value`, {
          todo: 'write it as --label team=search',
          exitCode: EXIT.usage,
        });
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );

const manifestText = (report: ManifestReport, path: string): string => {
  switch (report.kind) {
    case 'applied':
      return `in force from ${path}: ${counts(report)}`;
    case 'refused':
      return `refused, the former manifests stay in force:\n${report.faults.map((fault) => `  ${fault}`).join('\n')}`;
    case 'well again':
      return `all manifests of ${path} are valid again`;
    case 'trouble':
      return `cannot read ${path} (${report.message}); what was in force stays`;
    default:
      return report satisfies never;
  }
};

const counts = ({ budgets, routes, services }: Extract<ManifestReport, { kind: 'applied' }>): string =>
  [
    [budgets, 'budget'],
    [routes, 'route'],
    [services, 'inference service'],
  ]
    .filter(([n], index) => n !== 0 || index === 0)
    .map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`)
    .join(', ');
