/** Adds up jest's result files and prints `N passed, N failed` as the last line. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Sums {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One of jest's `--json` reports. A suite that could not run counts as one failure: its tests are not in the figures. */
export const sumsOf = (report: unknown): Sums => {
  const figures = Object(report) as Record<string, unknown>;
  const figure = (name: string): number => (typeof figures[name] === 'number' ? figures[name] : 0);
  return {
    passed: figure('numPassedTests'),
    failed: figure('numFailedTests') + figure('numRuntimeErrorTestSuites'),
    skipped: figure('numPendingTests') + figure('numTodoTests'),
  };
};

export const addSums = (all: readonly Sums[]): Sums =>
  all.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/** Nothing run is a failure; so is a step that failed without a failed test. */
export const verdict = (sums: Sums, failedSteps: readonly string[]): { lines: readonly string[]; ok: boolean } => {
  const failed = sums.failed + failedSteps.length;
  const ok = failed === 0 && sums.passed > 0;
  return {
    lines: [
      ...failedSteps.map((step) => `failed: ${step}`),
      ...(sums.skipped > 0 ? [`${sums.skipped} skipped`] : []),
      ...(sums.passed === 0 ? ['no test ran'] : []),
      `${sums.passed} passed, ${failed} failed`,
    ],
    ok,
  };
};

if (import.meta.main) {
  const [folder = '', ...failedSteps] = process.argv.slice(2);
  const reports = globSync('*.json', { cwd: folder }).map(
    (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as unknown,
  );
  const { lines, ok } = verdict(addSums(reports.map(sumsOf)), failedSteps);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = ok ? 0 : 1;
}
