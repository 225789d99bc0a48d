import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundleProgram } from './bundle.ts';
import { coverageReport } from './coverage.ts';
import { coveredLines, percentOf, productSources } from './covered-lines.ts';
import { statementsOf } from './executable-lines.ts';
import type { V8Script } from './v8-coverage.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tollgate-coverage-')));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

/** Runs a script in a process of its own and reads what ran. */
const scriptsOf = (script: string): V8Script[] => {
  const folder = join(root, 'processes');
  execFileSync(process.execPath, [join(root, script)], { env: { ...process.env, NODE_V8_COVERAGE: folder } });
  return readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: V8Script[] };
    return result.filter(({ url }) => url.startsWith(`file://${root}/`));
  });
};

const SIZE = `/** How big a number is. */
export interface Size { readonly name: string }

export const size = (value: number): Size => {
  if (value > 10) {
    return { name: 'big' };
  }
  return { name: 'small' };
};
`;
const FILE = 'packages/a/src/size.ts';

describe('covered lines', () => {
  it('are only lines on which a statement starts', () => {
    expect([...new Set(statementsOf(SIZE, FILE).map(({ line }) => line))]).toEqual([4, 5, 6, 8]);
    expect(() => statementsOf('const = ;', FILE)).toThrow('cannot parse packages/a/src/size.ts');
  });

  it('count a file that nothing loaded as not covered', () => {
    put(FILE, SIZE);
    expect(coveredLines({ root, sources: [FILE], jest: {}, scripts: [] })).toEqual([
      { file: FILE, lines: 4, missed: [4, 5, 6, 8] },
    ]);
  });

  it('come from a child process that ran the source', () => {
    put(FILE, SIZE);
    put('main.ts', `import { size } from './${FILE}';\nsize(1);\n`);
    const scripts = scriptsOf('main.ts');
    expect(coveredLines({ root, sources: [FILE], jest: {}, scripts })).toEqual([{ file: FILE, lines: 4, missed: [6] }]);
  });

  it('come from a child process that ran a bundle of it', async () => {
    put(FILE, SIZE);
    put('main.ts', `import { size } from './${FILE}';\nsize(11);\n`);
    await bundleProgram(root, { entry: 'main.ts', out: 'dist/main.js' }, '1');
    const scripts = scriptsOf('dist/main.js');
    expect(coveredLines({ root, sources: [FILE], jest: {}, scripts })).toEqual([{ file: FILE, lines: 4, missed: [8] }]);
  });

  it('are added up over tests and processes', () => {
    put(FILE, SIZE);
    put('main.ts', `import { size } from './${FILE}';\nsize(1);\n`);
    const place = { start: { line: 6, column: 4 }, end: { line: 6, column: 20 } };
    const path = join(root, FILE);
    const jest = { [path]: { path, statementMap: { 0: place }, s: { 0: 1 }, fnMap: {}, f: {}, branchMap: {}, b: {} } };
    expect(coveredLines({ root, sources: [FILE], jest, scripts: scriptsOf('main.ts') })).toEqual([
      { file: FILE, lines: 4, missed: [] },
    ]);
  });

  it('leave out tests and the bench, and nothing else', () => {
    for (const path of ['a.ts', 'a.test.ts', 'testing/b.ts', 'main.ts']) put(`packages/a/src/${path}`, '');
    put('packages/bench/src/main.ts', '');
    put('sidecar/src/deep/er.ts', '');
    expect(productSources(root)).toEqual(['packages/a/src/a.ts', 'packages/a/src/main.ts', 'sidecar/src/deep/er.ts']);
  });
});

describe('the coverage report', () => {
  it('names the worst files with their lines, and fails under the floor', () => {
    const files = [
      { file: 'good.ts', lines: 10, missed: [] },
      { file: 'bad.ts', lines: 10, missed: [1, 2, 3, 7] },
      { file: 'types.ts', lines: 0, missed: [] },
    ];
    expect(coverageReport(files)).toEqual({
      ok: false,
      text: [
        'The least covered files, with the lines that did not run:',
        '  60.0 %  bad.ts  1-3, 7',
        '80.00 % of the executable lines of 3 files ran; the floor is 90 %',
      ].join('\n'),
    });
  });

  it('passes at the floor and does not round up to it', () => {
    const at = (missed: number) => [
      { file: 'a.ts', lines: 100_000, missed: Array.from({ length: missed }, (_, line) => line * 2) },
    ];
    expect(coverageReport(at(10_000)).ok).toBe(true);
    expect(coverageReport(at(10_001)).text).toContain('89.99 %');
    expect(coverageReport(at(10_001)).ok).toBe(false);
    expect(percentOf([])).toBe(100);
  });
});
