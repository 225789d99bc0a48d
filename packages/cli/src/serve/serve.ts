/** Runs one standalone instance in the terminal: says what is in force, what was refused, and how to use it. */
import { statSync } from 'node:fs';
import { VERSION, makeLogger, systemTimers } from '@tollgate/runtime';
import { runStandalone } from '@tollgate/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { CommandExit } from '../command-exit.ts';
import { printReady } from '../format/ready.ts';
import type { Io } from '../io.ts';
import { isNews } from '../log-line.ts';
import { makeNews } from '../news.ts';
import { cacheDirFrom, namedStateDir, stateDirFrom } from '../state-option.ts';
import { untilStopped } from '../until-stopped.ts';
import { manifestText, warningsOf } from './manifest-report.ts';

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

/** Longer than it takes to notice that a process has gone after its connections broke. */
const NEWS_HOLD_MS = 500;

export const serve = async (options: ServeOptions, io: Io): Promise<void> => {
  const isVerbose = options.verbose === true;
  const isMock = options.mock === true;
  const say = (text: string): void => io.stderr(`tollgate: ${text}\n`);
  const secretsDir = secretsFrom(options, io);
  const news = isVerbose
    ? { print: io.stderr, silence: () => undefined, flush: () => undefined }
    : makeNews({ write: io.stderr, timers: systemTimers, holdMs: NEWS_HOLD_MS });
  const stopped = untilStopped(io);
  const databaseUrl = options.databaseUrl ?? setting(io, 'DATABASE_URL');
  // A variable of that name may be another program's: say that it is taken.
  if (databaseUrl !== null)
    say(
      `records are kept in the PostgreSQL of ${options.databaseUrl === undefined ? 'DATABASE_URL' : '--database-url'}${isMock ? ', simulated spend too: name one that holds no real spend' : ''}`,
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
    secretsDir,
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
      to: { write: news.print },
    }),
    onChildLine: (child, line) => {
      if (isVerbose || isNews(line)) news.print(`[${child}] ${line}\n`);
    },
    onManifests: (report) => {
      say(manifestText(report, options.resources));
      for (const warning of warningsOf(report, options)) say(`warning: ${warning}`);
    },
  });
  try {
    const early = await Promise.race([starting.then(() => 'ready' as const), stopped.then(() => 'stopped' as const)]);
    const standalone = await starting;
    if (early === 'ready') {
      const stateDir = namedStateDir(options.state, io);
      if (standalone.mockUrl !== null) say(`the simulated provider's own bill: ${standalone.mockUrl}/__mock/bill`);
      io.stdout(printReady({ ...standalone, isMock, version: VERSION, stateDir }));
    }
    const end = early === 'ready' ? await Promise.race([stopped.then(() => null), standalone.broken]) : null;
    // What all of its processes report from here on are consequences.
    if (end !== null) news.silence();
    say(
      end === null
        ? 'stopping: open calls may end, spend is written down'
        : `${end}, so serve stops; what was spent is kept: start it again`,
    );
    await standalone.stop();
    if (end !== null) throw new CommandExit(EXIT.failed);
  } finally {
    news.flush();
  }
};

const setting = ({ env }: Io, name: string): string | null => env[name] || null;

/** A folder that is not there would have every keyed route refuse; simulated answers need none. */
const secretsFrom = ({ secrets, mock }: ServeOptions, io: Io): string | null => {
  const dir = secrets ?? (mock === true ? null : setting(io, 'TOLLGATE_SECRETS_DIR'));
  if (dir === null || statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return dir;
  throw new CliError(`${secrets === undefined ? 'TOLLGATE_SECRETS_DIR' : '--secrets'} ${dir} is no folder`, {
    todo: 'make it, with the key of a secret in DIR/<name>/<key>, or leave it out',
    exitCode: EXIT.usage,
  });
};

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
