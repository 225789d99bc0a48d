/**
 * Writes every generated file of the repository. `--check` writes nothing: it names each file that differs and exits 1.
 * Run as `node --conditions=source packages/devtools/src/generate.ts [--check]`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crdFiles } from './crds/crd-files.ts';
import type { GeneratedFile } from './generated-file.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Add a maker here, and `make generate` and `make verify` know it. */
const MAKERS: readonly (() => readonly GeneratedFile[])[] = [crdFiles];

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

function read(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return null;
  }
}
