/** Starts a private instance with one budget, runs the command through it, and prints the bill when it has ended. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Standalone } from '@tollgate/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { CommandExit } from '../command-exit.ts';
import { billJson, printBill } from '../format/bill.ts';
import type { Bill } from '../format/bill.ts';
import { dollars } from '../format/dollars.ts';
import type { Io } from '../io.ts';
import { startPrivateInstance } from '../private-instance.ts';
import { askServer } from '../server/ask-server.ts';
import { usageFrom } from '../server/usage.ts';
import { runCommand } from './run-command.ts';
import { refusalsFrom } from './refusals.ts';
import { parseSpendCap } from './spend-cap.ts';
import { hasProvider, upstreamsOf, wrappedEnv } from './upstreams.ts';

export interface WrapOptions {
  readonly budget: string;
  readonly mock?: boolean;
  readonly real?: boolean;
  readonly json?: string | boolean;
  readonly verbose?: boolean;
}

export const wrap = async (command: readonly string[], options: WrapOptions, io: Io): Promise<void> => {
  const cap = parseSpendCap(options.budget);
  if (!cap.ok)
    throw new CliError(cap.message, {
      todo: 'write it as --budget 2usd, --budget $2 or --budget 0.05usd',
      exitCode: EXIT.usage,
    });
  const isMock = chooseMock(options, io.env);
  const billFile = typeof options.json === 'string' ? openBill(options.json) : null;
  const log = logUntilStop(options.verbose === true, io);
  io.stderr(
    `tollgate: ${dollars(cap.nano)} for ${command[0] ?? ''}${isMock ? '. MOCK: simulated answers, nobody is charged' : ''}\n`,
  );
  const stateDir = mkdtempSync(join(tmpdir(), 'tollgate-wrap-'));
  try {
    const { isVerbose, print } = log;
    const upstreams = upstreamsOf(io.env);
    const instance = { name: 'wrap', cap: cap.nano, isMock, upstreams, stateDir, isVerbose, print };
    const standalone = await startPrivateInstance(instance, io);
    try {
      const env = wrappedEnv(io.env, { proxyUrl: standalone.proxyUrl, isMock });
      const trouble: string[] = [];
      void standalone.broken.then((why) => {
        trouble.push(why);
        io.stderr(`tollgate: ${why}: nothing can be recorded any more, so calls will be refused\n`);
      });
      const code = await runCommand({ command, env, signals: io.signals, hasTerminal: io.hasTerminal });
      if (trouble.length > 0) throw noBill(trouble.join(', '), code);
      printOut(await billOf(standalone, { budget: cap.nano, isMock }), { json: options.json === true, billFile }, io);
      throw new CommandExit(code);
    } catch (error) {
      // The command could not be started: that is all there is to say.
      if (error instanceof CliError) log.silence();
      throw error;
    } finally {
      await standalone.stop();
    }
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
    if (billFile !== null) closeSync(billFile);
  }
};

/** The command's own failure counts more. */
const noBill = (why: string, code: number): CliError =>
  new CliError(`there is no bill: ${why} while the command ran`, {
    todo: 'look at what the provider billed, and run it again',
    exitCode: code === 0 ? EXIT.failed : code,
  });

/** Before anything runs: after it, the money is spent, and the bill would be lost. */
const openBill = (path: string): number => {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw new CliError(`--json ${path} cannot be written (${cause instanceof Error ? cause.message : String(cause)})`, {
      todo: 'name a file in a folder that is there, or leave the name out to have the bill on stderr',
      exitCode: EXIT.usage,
      cause,
    });
  }
};

interface WrapLog {
  readonly isVerbose: boolean;
  print(text: string): void;
  silence(): void;
}

/** What the processes log, as long as somebody can make use of it. */
const logUntilStop = (isVerbose: boolean, io: Io): WrapLog => {
  let isSilent = false;
  return {
    isVerbose,
    print: (text) => {
      if (!isSilent) io.stderr(text);
    },
    silence: () => {
      isSilent = !isVerbose;
    },
  };
};

const chooseMock = ({ mock = false, real = false }: WrapOptions, env: Io['env']): boolean => {
  if (mock && real)
    throw new CliError('--mock and --real exclude each other', { todo: 'leave one of them out', exitCode: EXIT.usage });
  if (mock) return true;
  if (hasProvider(env)) return false;
  if (!real) return true;
  throw new CliError('there is no provider key in the environment', {
    todo: 'export OPENAI_API_KEY or ANTHROPIC_API_KEY or GEMINI_API_KEY, or leave --real out for simulated answers',
    exitCode: EXIT.usage,
  });
};

const billOf = async (standalone: Standalone, { budget, isMock }: Pick<Bill, 'budget' | 'isMock'>): Promise<Bill> => {
  // The count of refusals lives and dies with the proxy; the spend is complete once the proxy has delivered all events.
  const refused = await refusalsFrom(standalone.adminUrl);
  await standalone.drainProxy();
  const server = { url: standalone.serverUrl, token: readFileSync(standalone.tokenFile, 'utf8') };
  const lines = usageFrom(await askServer(server, '/v1/usage?by=model')).map(({ key, ...sums }) => ({
    model: key,
    ...sums,
  }));
  return { lines, budget, refused, isMock };
};

interface BillPlaces {
  /** On stderr, in place of the bill for people. */
  readonly json: boolean;
  readonly billFile: number | null;
}

const printOut = (bill: Bill, { json, billFile }: BillPlaces, io: Io): void => {
  if (billFile !== null) writeSync(billFile, billJson(bill));
  io.stderr(json ? billJson(bill) : printBill(bill));
};
