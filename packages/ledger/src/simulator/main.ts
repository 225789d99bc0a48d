/**
 * `make test-sim`. SIM_SEEDS schedules (20,000), or for SIM_MINUTES; from SIM_FROM (1), on SIM_WORKERS threads (one a
 * core). SIM_SEED plays one, SIM_REPLAY the one in a file. SIM_MUTANT breaks the chain in a way that the suite knows.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runCampaign } from './campaign.ts';
import { explainFailure, playOne } from './failure.ts';
import { MUTANTS } from './mutants.ts';
import { UNBROKEN } from './mutation.ts';
import { planSchedule } from './plan.ts';
import { parseSchedule } from './schedule-file.ts';
import { missingRows, rowsTable, sumLine, type Effort, type Sums } from './sums.ts';

const PROGRESS_MS = 5_000;
const WRONG_CONFIG = 64;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const whole = (name: string, otherwise: number): number => {
  const text = process.env[name] ?? '';
  const value = text === '' ? otherwise : Number(text);
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 0)) return value;
  print(`${name} is a whole number, not ${text}`);
  return process.exit(WRONG_CONFIG);
};

const keep = (name: string, text: string): string => {
  const folder = process.env['SIM_DIR'] ?? join('dist', 'simulation');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const commitNow = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
};

const mutant = process.env['SIM_MUTANT'] || null;
const mutation = mutant === null ? UNBROKEN : MUTANTS[mutant]?.();
if (!mutation) {
  print(`SIM_MUTANT is one of: ${Object.keys(MUTANTS).join(', ')}`);
  process.exit(WRONG_CONFIG);
}

const campaign = async (): Promise<boolean> => {
  const minutes = whole('SIM_MINUTES', 0);
  const startedAt = performance.now();
  const effort = (violations: number): Effort => {
    const { user, system } = process.cpuUsage();
    return { violations, seconds: (performance.now() - startedAt) / 1_000, cpuMs: (user + system) / 1_000 };
  };
  let shownAt = startedAt;
  const onProgress = (sums: Sums): void => {
    if (performance.now() - shownAt < PROGRESS_MS) return;
    shownAt = performance.now();
    const now = effort(0);
    print(`${now.seconds.toFixed(0).padStart(5)} s  ${sumLine(sums, now)}`);
  };
  const { sums, failed } = await runCampaign({
    from: whole('SIM_FROM', 1),
    seeds: minutes > 0 ? Infinity : whole('SIM_SEEDS', 20_000),
    untilMs: minutes > 0 ? startedAt + minutes * 60_000 : Infinity,
    workers: whole('SIM_WORKERS', availableParallelism()),
    mutant,
    clock: () => performance.now(),
    onProgress,
  });
  const took = effort(failed.length);
  const [first] = failed;
  if (first) await explainFailure(first.seed, { commit: commitNow(), keep, mutation, mutant, print });
  if (sums.schedules > 0) print(rowsTable(sums));
  const missing = missingRows(sums);
  // A handful of schedules need not come to every row.
  const isWhole = missing.length === 0 || sums.schedules < ENOUGH_FOR_ALL_ROWS;
  if (!isWhole) print(`never struck: rows ${missing.join(', ')}`);
  print(sumLine(sums, took));
  return failed.length === 0 && isWhole;
};

const ENOUGH_FOR_ALL_ROWS = 300;

const replayed = process.env['SIM_REPLAY'];
const seed = process.env['SIM_SEED'];
const isGood = replayed
  ? await playOne(parseSchedule(readFileSync(replayed, 'utf8')), { mutation, print })
  : seed
    ? await playOne(planSchedule(whole('SIM_SEED', 1)), { mutation, print })
    : await campaign();
process.exitCode = isGood ? 0 : 1;
