/** docs/accounting.md names tests as proofs: each of them is there, under the title that the page gives. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const DOCS = join(import.meta.dirname, '../../../../docs');
const CLAIMS = 10;

interface Proof {
  readonly path: string;
  readonly titles: readonly string[];
}

/** `[file](path): *title*, *title*`, any number of them in a cell. */
const proofsIn = (cell: string): readonly Proof[] =>
  [...cell.matchAll(/\[[^\]]+\]\(([^)]+)\)(?:: ((?:\*[^*]+\*(?:, )?)+))?/g)].map(([, path = '', titles = '']) => ({
    path,
    titles: [...titles.matchAll(/\*([^*]+)\*/g)].map(([, title = '']) => title),
  }));

/** Number and proof of each row of the table. */
const rowsIn = (page: string): readonly (readonly [number, string])[] =>
  [...page.matchAll(/^\| (\d+) \| [^|]+ \| (.+) \|$/gm)].map(([, number, cell = '']) => [Number(number), cell]);

/** What the page gets wrong; a test's title stands in its file as it is, but for the escapes of a string. */
const faultsIn = (page: string, read: (path: string) => string | null): readonly string[] =>
  rowsIn(page).flatMap(([number, cell]) => {
    const proofs = proofsIn(cell);
    if (proofs.length === 0 && !cell.includes('not yet proven'))
      return [`claim ${number} has neither proof nor excuse`];
    return proofs.flatMap(({ path, titles }) => {
      const source = read(path.replace(/#.*/, ''))?.replaceAll('\\', '');
      if (source === undefined) return [`claim ${number}: there is no ${path}`];
      return titles
        .filter((title) => !source.includes(title))
        .map((title) => `claim ${number}: ${path} has no "${title}"`);
    });
  });

describe('the claims in docs/accounting.md', () => {
  const page = readFileSync(join(DOCS, 'accounting.md'), 'utf8');

  it('are ten, and each names tests that exist, or says that it is not yet proven', () => {
    expect(rowsIn(page).map(([number]) => number)).toEqual(Array.from({ length: CLAIMS }, (_, index) => index + 1));
    const read = (path: string): string | null =>
      existsSync(join(DOCS, path)) ? readFileSync(join(DOCS, path), 'utf8') : null;
    expect(faultsIn(page, read)).toEqual([]);
  });

  it('are not believed where a file, a title or a proof is missing', () => {
    const broken = [
      '| 1 | a | nothing |',
      '| 2 | a | [x](../x.test.ts): *is there* |',
      '| 3 | a | [y](../y.test.ts): *it’s there*, *is not there* |',
      "| 4 | a | [y](../y.test.ts): *it's quoted* |",
      '| 5 | a | not yet proven |',
      '| 6 | a | [page](../y.test.ts#part) |',
    ].join('\n');
    const read = (path: string): string | null =>
      path === '../y.test.ts' ? "it('it’s there'); it('it\\'s quoted')" : null;
    expect(faultsIn(broken, read)).toEqual([
      'claim 1 has neither proof nor excuse',
      'claim 2: there is no ../x.test.ts',
      'claim 3: ../y.test.ts has no "is not there"',
    ]);
  });
});
