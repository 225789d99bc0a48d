/** What a story has measured: printed, and kept for `docs/benchmarks.md` beside the results of the suite. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const FILE = join(import.meta.dirname, '../../../../dist/test-results/e2e-figures.json');

export interface Figure {
  readonly what: string;
  /** In `unit`, by the order of the percentages: the share of the measurements that were at most so much. */
  readonly percentiles: Readonly<Record<string, number>>;
  readonly unit: 'ms';
  readonly measurements: number;
}

/** Nearest rank; the values must not be none. */
const percentile = (sorted: readonly number[], percent: number): number =>
  sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;

export const figureOf = (what: string, millis: readonly number[]): Figure => {
  const sorted = [...millis].sort((a, b) => a - b);
  const at = (percent: number): number => Math.round(percentile(sorted, percent) * 10) / 10;
  return {
    what,
    percentiles: { p50: at(50), p99: at(99), max: at(100) },
    unit: 'ms',
    measurements: millis.length,
  };
};

/** One of the same name replaces what a former run has left. */
export const keepFigures = async (name: string, figures: readonly Figure[]): Promise<void> => {
  for (const { what, percentiles, unit } of figures) {
    const said = Object.entries(percentiles).map(([share, value]) => `${share} ${String(value)} ${unit}`);
    process.stderr.write(`e2e: ${what}: ${said.join(', ')}\n`);
  }
  const former = await readFile(FILE, 'utf8').catch(() => '{}');
  await mkdir(dirname(FILE), { recursive: true });
  await writeFile(FILE, `${JSON.stringify({ ...(JSON.parse(former) as object), [name]: figures }, null, 2)}\n`);
};
