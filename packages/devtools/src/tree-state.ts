/** `save` notes the state of the working tree, `compare` fails where it has changed since: generated files were stale. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Path → hash of each file that differs from the last commit or is not in it. Equal to `git diff --exit-code` on a clean tree. */
export const treeState = (root: string): ReadonlyMap<string, string> => {
  const git = (...args: string[]): string[] =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
      .split('\0')
      .filter((path) => path !== '');
  const paths = [
    ...git('diff', '--name-only', '-z', 'HEAD'),
    ...git('ls-files', '--others', '--exclude-standard', '-z'),
  ];
  return new Map(paths.map((path) => [path, hashOf(join(root, path))]));
};

/** The paths that differ between two states, sorted. */
export const changedPaths = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();

const hashOf = (path: string): string =>
  existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'deleted';

if (import.meta.main) {
  const [command, file = '', ...hint] = process.argv.slice(2);
  const root = join(import.meta.dirname, '../../..');
  if (command === 'save') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify([...treeState(root)]));
  } else {
    const before = new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, string][]);
    const changed = changedPaths(before, treeState(root));
    if (changed.length > 0) {
      process.stderr.write(`${hint.join(' ')}\n${changed.map((path) => `  ${path}\n`).join('')}`);
      process.exitCode = 1;
    }
  }
}
