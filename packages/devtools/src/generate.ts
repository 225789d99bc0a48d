/**
 * Writes every generated file of the repository. `--check` writes nothing: it names each file that differs and exits 1.
 * `--accept-price-jumps` takes prices that moved by more than ten times.
 * Run as `node --conditions=source packages/devtools/src/generate.ts [--check] [--accept-price-jumps]`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cliPage } from '@tollgate/cli/docs';
import { PRICE_TABLE_PATH, buildPriceTable } from '@tollgate/prices/build';
import { chartFiles } from './chart/chart-files.ts';
import { crdFiles } from './crds/crd-files.ts';
import { annotationsPage } from './docs/annotations-page.ts';
import { metricsPage } from './docs/metrics-page.ts';
import { pathsPage } from './docs/paths-page.ts';
import type { GeneratedFile } from './generated-file.ts';
import { luaLibrary } from './lua-library.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Add a maker here, and `make generate` and `make verify` know it. */
const MAKERS: readonly (() => readonly GeneratedFile[])[] = [
  crdFiles,
  priceFiles,
  () => [pathsPage(), metricsPage(), annotationsPage(), cliPage()],
  () => [luaLibrary(ROOT)],
  () => chartFiles(ROOT),
];

const stale = MAKERS.flatMap((make) => make()).filter(({ path, text }) => read(path) !== text);

if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path} is not what its sources say: run \`make generate\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
    console.log(`wrote ${path}`);
  }
}

/** Against the table as it stands, so that a rate that jumped is seen by whoever builds. */
function priceFiles(): readonly GeneratedFile[] {
  const former = read(PRICE_TABLE_PATH);
  const built = buildPriceTable({
    ...(former === null ? {} : { former }),
    acceptPriceJumps: process.argv.includes('--accept-price-jumps'),
  });
  for (const { model, kind, from, to } of built.jumps) console.warn(`price of ${model}, ${kind}: ${from} -> ${to}`);
  return [{ path: built.path, text: built.text }];
}

function read(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return null;
  }
}
