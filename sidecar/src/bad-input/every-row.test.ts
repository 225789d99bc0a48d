/** Bad input, last: that no row of the corpus (reliability.md 4.3) was forgotten. Each test of one begins with its number. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Row 46 is about manifests, which the schema refuses. */
const SUITES = ['sidecar/src/bad-input/*.test.ts', 'packages/api/src/manifest.test.ts'];

const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** Rows of tokens, ingest, the management API, the UI and the webhook come with those. */
const ROWS = [...from(1, 39), 41, 42, 46, 51, 52];
const NEW_ROWS = ['U+FDFA', 'POST from', 'duplicate key written with an escape'];

describe('the bad-input corpus', () => {
  const names = globSync(SUITES, { cwd: ROOT })
    .map((path) => readFileSync(`${ROOT}/${path}`, 'utf8'))
    .flatMap((text) => [...text.matchAll(/['"`]((?:row \d+|new row): [^\n]*)/g)].map(([, name]) => name ?? ''));

  it('has a test for every row', () => {
    expect(ROWS.filter((row) => !names.some((name) => name.startsWith(`row ${String(row)}: `)))).toEqual([]);
  });

  it('has a test for every new row', () => {
    const added = names.filter((name) => name.startsWith('new row: '));
    expect(NEW_ROWS.filter((words) => !added.some((name) => name.includes(words)))).toEqual([]);
  });
});
