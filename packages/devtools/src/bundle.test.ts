import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundleProgram, versionStamp } from './bundle.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-bundle-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

describe('a version stamp', () => {
  it.each([
    [null, '0.1.0'],
    ['v0.1.0', '0.1.0'],
    ['3f2a91c', '0.1.0+3f2a91c'],
    ['3f2a91c-dirty', '0.1.0+3f2a91c.dirty'],
    ['v0.1.0-4-g3f2a91c', '0.1.0+v0.1.0-4-g3f2a91c'],
  ])('of %s is %s', (describe, stamp) => {
    expect(versionStamp('0.1.0', describe)).toBe(stamp);
  });
});

describe('a bundle', () => {
  it('is one file from the sources, with the version in it and a map beside it', async () => {
    put(
      'src/main.ts',
      "import { said } from 'a';\ndeclare const __TOLLGATE_VERSION__: string;\nconsole.log(said, __TOLLGATE_VERSION__);\n",
    );
    put('node_modules/a/package.json', '{"name":"a","exports":{"source":"./a.ts","default":"./missing.js"}}');
    put('node_modules/a/a.ts', "export const said: string = 'from source';\n");
    await bundleProgram(root, { entry: 'src/main.ts', out: 'dist/main.js' }, '1.2.3+abc');
    const bundle = readFileSync(join(root, 'dist/main.js'), 'utf8');
    expect(bundle).toContain('from source');
    expect(bundle).toContain('"1.2.3+abc"');
    expect(readFileSync(join(root, 'dist/main.js.map'), 'utf8')).toContain('src/main.ts');
  });

  it('leaves what lies beside it a file of its own, which is loaded when it is asked for', async () => {
    put(
      'src/main.ts',
      "if (process.argv[2] === 'more') await import('../more/index.ts');\nelse console.log('little');\n",
    );
    put('more/index.ts', "console.log('more');\n");
    const beside = { '../more/index.ts': './more.mjs' };
    const main = { entry: 'src/main.ts', out: 'dist/main.mjs', beside, without: ['more'] };
    await bundleProgram(root, main, '1');
    await bundleProgram(root, { entry: 'more/index.ts', out: 'dist/more.mjs' }, '1');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(root, 'dist/main.mjs'), ...args]).stdout.toString();
    expect([run(), run('more')]).toEqual(['little\n', 'more\n']);
    expect(readFileSync(join(root, 'dist/main.mjs'), 'utf8')).not.toContain("'more');");
    rmSync(join(root, 'dist/more.mjs'));
    expect(run()).toBe('little\n');
  });

  it('says to an older Node, before anything of it runs, what it needs', async () => {
    put('src/main.ts', "console.log('runs');\n");
    await bundleProgram(root, { entry: 'src/main.ts', out: 'dist/main.mjs' }, '1');
    const run = (...before: string[]) => spawnSync(process.execPath, [...before, join(root, 'dist/main.mjs')]);
    expect(run().stdout.toString()).toBe('runs\n');
    put('older.cjs', "Object.defineProperty(process.versions, 'node', { value: '20.11.1' });\n");
    const { status, stdout, stderr } = run('--require', join(root, 'older.cjs'));
    expect([status, stdout.toString(), stderr.toString()]).toEqual([
      64,
      '',
      'tollgate: needs Node 24, and this is 20.11.1: use npx pnpm@10 exec tollgate\n',
    ]);
  });

  it('is not built from a program that is not there', async () => {
    const program = { entry: 'src/none.ts', out: 'dist/none.js' };
    await expect(bundleProgram(root, program, '1')).rejects.toThrow('src/none.ts does not exist');
  });

  it('is refused where it holds a package that it must not', async () => {
    put('src/main.ts', "import 'zod';\n");
    put('node_modules/zod/package.json', '{"name":"zod","main":"index.js"}');
    put('node_modules/zod/index.js', 'globalThis.loaded = true;\n');
    const program = { entry: 'src/main.ts', out: 'dist/main.js', without: ['zod', 'pg'] };
    await expect(bundleProgram(root, program, '1')).rejects.toThrow('must not hold zod;');
  });
});
