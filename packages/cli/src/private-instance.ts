/** An instance of one command's own: one budget over every call, a database in memory, any free ports, gone with the command. */
import { parseManifest } from '@tollgate/api/schema';
import type { Resource } from '@tollgate/api/schema';
import { formatUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';
import { VERSION, makeLogger } from '@tollgate/runtime';
import { runStandalone } from '@tollgate/standalone';
import type { ProxyUpstreams, Standalone } from '@tollgate/standalone';
import type { Io } from './io.ts';
import { isNews } from './log-line.ts';
import { cacheDirFrom } from './state-option.ts';

export interface PrivateInstance {
  /** Of the budget and of the workload. */
  readonly name: string;
  readonly cap: NanoUsd;
  readonly isMock: boolean;
  readonly upstreams: ProxyUpstreams;
  readonly stateDir: string;
  readonly isVerbose: boolean;
  /** For what the processes log. */
  readonly print: (text: string) => void;
}

/** Calls that are open when it stops are given this long. */
const GRACE_MS = 5000;

export const startPrivateInstance = (options: PrivateInstance, io: Io): Promise<Standalone> => {
  const { name, cap, isMock, upstreams, stateDir, isVerbose, print } = options;
  return runStandalone({
    resources: { fixed: [budgetOf(name, cap)] },
    stateDir,
    databaseUrl: null,
    inMemory: true,
    cacheDir: cacheDirFrom(io),
    ports: { proxy: 0, admin: 0, server: 0 },
    subject: { namespace: 'default', workload: name, labels: {}, team: 'default' },
    secretsDir: null,
    isMock,
    upstreams,
    // No default: every call is under the budget, which has no selector.
    requireBudget: true,
    programs: io.programs,
    env: io.env,
    graceMs: GRACE_MS,
    now: io.now,
    pid: io.pid,
    log: makeLogger({
      process: name,
      level: isVerbose ? 'info' : 'error',
      version: VERSION,
      to: { write: print },
    }),
    onChildLine: (child, line) => {
      if (isVerbose || isNews(line)) print(`[${child}] ${line}\n`);
    },
    onManifests: () => undefined,
  });
};

const budgetOf = (name: string, cap: NanoUsd): Resource => {
  const parsed = parseManifest({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'TokenBudget',
    metadata: { name },
    spec: { enforcement: 'Hard', limits: [{ name: 'total', period: 'Total', cost: { max: formatUsd(cap) } }] },
  });
  if (!parsed.ok)
    throw new Error(`the budget of ${name} is no TokenBudget: ${parsed.faults.map(({ message }) => message).join()}`);
  return parsed.resource;
};
