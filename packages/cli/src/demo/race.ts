/**
 * Runaway agents against one budget, twice at the same time: behind a gate that checks first and adds afterwards, and
 * behind Tollgate. Both forward to one mock provider, whose log judges both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NanoUsd } from '@tollgate/metering';
import { makeReleases, monotonicClock, onStopSignals, systemTimers } from '@tollgate/runtime';
import type { Standalone } from '@tollgate/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { CommandExit } from '../command-exit.ts';
import { dollars } from '../format/dollars.ts';
import type { Io } from '../io.ts';
import { startPrivateInstance } from '../private-instance.ts';
import { askServer } from '../server/ask-server.ts';
import { askExplanation, explainedCall } from '../server/explained-call.ts';
import { usageFrom } from '../server/usage.ts';
import { parseSpendCap } from '../wrap/spend-cap.ts';
import { answerCost } from './answer-cost.ts';
import { startCheckThenAdd } from './check-then-add.ts';
import { CHECK_THEN_ADD, TOLLGATE, runLaps } from './laps.ts';
import type { Laps } from './laps.ts';
import { raceJson, raceTable } from './scoreboard.ts';
import type { RaceResult } from './scoreboard.ts';
import { showRace } from './show-race.ts';

export interface RaceOptions {
  readonly agents: number;
  readonly budget: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const MODEL = 'gpt-4o';
const MAX_AGENTS = 100;
const RELEASE_MS = 15_000;

export const race = async (options: RaceOptions, io: Io): Promise<void> => {
  const limit = parseLimit(options);
  const isQuiet = options.json === true;
  const say = (text: string): void => {
    if (!isQuiet) io.stdout(text);
  };
  const releases = makeReleases(systemTimers);
  const stop = new AbortController();
  let exitCode = 0;
  releases.add(
    'signals',
    onStopSignals(io.signals, {
      stop: (signal) => {
        exitCode = signal.exitCode;
        stop.abort();
      },
      force: (signal) => io.exit(signal.exitCode),
    }),
  );
  try {
    say(`tollgate: ${options.agents} runaway agents against ${dollars(limit)}, behind each of two gates.\n`);
    say('MOCK: answers are simulated, nobody is charged. Starting …\n\n');
    const stateDir = mkdtempSync(join(tmpdir(), 'tollgate-race-'));
    releases.add('state', () => rmSync(stateDir, { recursive: true, force: true }));
    const standalone = await startPrivateInstance(
      {
        name: 'race',
        cap: limit,
        isMock: true,
        upstreams: {},
        stateDir,
        isVerbose: options.verbose === true,
        print: io.stderr,
      },
      io,
    );
    releases.add('standalone', () => standalone.stop());
    const mockUrl = standalone.mockUrl ?? '';
    const gate = await startCheckThenAdd({ limit, upstream: mockUrl, costOf: answerCost(MODEL) });
    releases.add('check-then-add', () => gate.close());

    const started = monotonicClock();
    const laps = runLaps({
      agents: options.agents,
      model: MODEL,
      urls: { [CHECK_THEN_ADD]: `${gate.url}/v1`, [TOLLGATE]: `${standalone.proxyUrl}/openai/v1` },
      mockUrl,
      stop: stop.signal,
    });
    const close = showRace(laps, { limit, seconds: () => (monotonicClock() - started) / 1000, io, isQuiet });
    try {
      await laps.finished;
    } finally {
      await close();
    }
    const seconds = (monotonicClock() - started) / 1000;
    const result = await judge({ laps, standalone, limit, agents: options.agents, seconds, naiveBooks: gate.spent() });
    if (!stop.signal.aborted) requireCalls(result);
    if (isQuiet) io.stdout(raceJson(result));
    else await printResult(result, standalone, io);
    // The promise of the demo is the promise of the product.
    if (result.gates.some(({ name, billed }) => name === TOLLGATE && billed > limit)) exitCode = EXIT.failed;
  } finally {
    await releases.run(RELEASE_MS);
  }
  if (exitCode !== 0) throw new CommandExit(exitCode);
};

const parseLimit = ({ budget, agents }: RaceOptions): NanoUsd => {
  const cap = parseSpendCap(budget);
  if (!cap.ok)
    throw new CliError(cap.message, { todo: 'write it as --budget 1usd or --budget $1', exitCode: EXIT.usage });
  if (agents < 1 || agents > MAX_AGENTS)
    throw new CliError(`--agents is a number from 1 to ${MAX_AGENTS}`, {
      todo: 'leave it out for twenty',
      exitCode: EXIT.usage,
    });
  return cap.nano;
};

interface Facts {
  readonly laps: Laps;
  readonly standalone: Standalone;
  readonly limit: NanoUsd;
  readonly agents: number;
  readonly seconds: number;
  readonly naiveBooks: NanoUsd;
}

const judge = async ({ laps, standalone, limit, agents, seconds, naiveBooks }: Facts): Promise<RaceResult> => {
  // Tollgate's books are complete once the proxy has delivered its events.
  await standalone.drainProxy();
  const usage = usageFrom(await askServer(serverOf(standalone), '/v1/usage?by=model'));
  const books: Readonly<Record<string, NanoUsd>> = {
    [CHECK_THEN_ADD]: naiveBooks,
    [TOLLGATE]: usage.reduce((sum, { charged }) => sum + charged, 0n),
  };
  const scores = await laps.scores();
  return {
    limit,
    agents,
    seconds,
    gates: scores.map((score) => ({ ...score, ownBooks: books[score.name] ?? 0n })),
    lastRequestId: laps.lastRequestId(),
    lastRefusal: laps.lastRefusal(),
  };
};

/** A gate that lets nothing through overspends nothing, and shows nothing. */
const requireCalls = ({ gates, lastRefusal }: RaceResult): void => {
  if (gates.every(({ admitted }) => admitted > 0)) return;
  throw new CliError(`no call came through${lastRefusal === null ? '' : `: ${lastRefusal}`}`, {
    todo: 'give more with --budget, or see with --verbose what the processes log',
  });
};

const printResult = async (result: RaceResult, standalone: Standalone, io: Io): Promise<void> => {
  io.stdout(`\n${raceTable(result)}`);
  if (result.lastRefusal !== null) io.stdout(`\nwhat Tollgate's agents were told: ${result.lastRefusal}\n`);
  if (result.lastRequestId === null) return;
  const server = serverOf(standalone);
  const answer = await askExplanation(server, result.lastRequestId);
  if (answer === null) return;
  io.stdout(`\nthe last call that Tollgate let through, ${result.lastRequestId}; what tollgate explain showed:\n`);
  io.stdout(await explainedCall(server, answer));
};

const serverOf = ({ serverUrl, tokenFile }: Standalone): { url: string; token: string } => ({
  url: serverUrl,
  token: readFileSync(tokenFile, 'utf8'),
});
