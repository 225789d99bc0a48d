/** `make test-coverage`: the suites once, with the lines that ran in tests and in child processes added up. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoverageMapData } from 'istanbul-lib-coverage';
import { coveredLines, percentOf, productSources, type FileLines } from './covered-lines.ts';
import type { V8Script } from './v8-coverage.ts';

/** Percent of executable lines. */
export const FLOOR = 90;
const WORST = 20;

/** The table, and whether the floor is reached. */
export const coverageReport = (files: readonly FileLines[]): { readonly text: string; readonly ok: boolean } => {
  const percent = percentOf(files);
  const worst = files
    .filter(({ missed }) => missed.length > 0)
    .sort((a, b) => percentOf([a]) - percentOf([b]) || b.missed.length - a.missed.length)
    .slice(0, WORST);
  const rows = worst.map(
    (file) => `${percentOf([file]).toFixed(1).padStart(6)} %  ${file.file}  ${ranges(file.missed)}`,
  );
  // Rounded down: 89.96 is not 90.
  const shown = (Math.floor(percent * 100) / 100).toFixed(2);
  const ok = percent >= FLOOR;
  const total = `${shown} % of the executable lines of ${files.length} files ran; the floor is ${FLOOR} %`;
  return {
    text: [
      ...(rows.length > 0 ? ['The least covered files, with the lines that did not run:', ...rows] : []),
      total,
    ].join('\n'),
    ok,
  };
};

/** `3-5, 9`. */
const ranges = (lines: readonly number[]): string => {
  const parts: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const from = at;
    while (lines[at + 1] === (lines[at] ?? 0) + 1) at += 1;
    parts.push(from === at ? String(lines[at]) : `${lines[from]}-${lines[at]}`);
  }
  return parts.length > 8 ? `${parts.slice(0, 8).join(', ')} …` : parts.join(', ');
};

const measure = (root: string): number => {
  const folder = join(root, 'coverage');
  const processes = join(folder, 'processes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(processes, { recursive: true });
  const jest = [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
    // Not the measurements of `make test-scale`: many minutes, and not a line that the others do not run.
    ...['--selectProjects', 'unit', 'integration', 'kubernetes'],
    ...['--coverage', '--coverageReporters=json', `--coverageDirectory=${folder}`],
    // What else the caller asks for: a folder, to measure a part.
    ...process.argv.slice(2),
  ];
  // jest.environment.cjs makes it NODE_V8_COVERAGE, which Node hands on to each child that a test starts, whatever
  // environment the test gives it.
  const { status } = spawnSync(process.execPath, jest, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TOLLGATE_PROCESS_COVERAGE: processes },
  });
  const scripts = globSync('*.json', { cwd: processes }).flatMap((file) => readScripts(join(processes, file), root));
  const final = join(folder, 'coverage-final.json');
  const inTests = existsSync(final) ? (JSON.parse(readFileSync(final, 'utf8')) as CoverageMapData) : {};
  const files = coveredLines({ root, sources: productSources(root), jest: inTests, scripts });
  const { text, ok } = coverageReport(files);
  writeFileSync(join(folder, 'lines.json'), JSON.stringify(files, null, 1));
  process.stdout.write(`${text}\n`);
  if (status !== 0) process.stderr.write('tests failed, so the figure above is of a broken run\n');
  return ok && status === 0 ? 0 : 1;
};

const readScripts = (path: string, root: string): V8Script[] => {
  const { result } = JSON.parse(readFileSync(path, 'utf8')) as { result: V8Script[] };
  return result.filter(({ url }) => url.startsWith(`file://${root}/`) && !url.includes('/node_modules/'));
};

if (import.meta.main) process.exitCode = measure(join(import.meta.dirname, '../../..'));
