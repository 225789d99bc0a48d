import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changedPaths, treeState } from './tree-state.ts';

let root = '';
const git = (...args: string[]): unknown =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: root });
const write = (path: string, text: string): void => writeFileSync(join(root, path), text);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-tree-'));
  git('init', '-q');
  for (const path of ['kept', 'edited', 'removed']) write(path, 'before');
  write('.gitignore', 'ignored\n');
  git('add', '.');
  git('commit', '-q', '-m', 'all');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the state of the tree', () => {
  it('is empty where all is committed', () => {
    write('ignored', 'x');
    expect(treeState(root).size).toBe(0);
  });

  it('tells what a generator edited, made or removed, and not what was edited before it', () => {
    write('kept', 'edited by hand');
    const before = treeState(root);
    write('edited', 'after');
    write('made', 'x');
    rmSync(join(root, 'removed'));
    expect(changedPaths(before, treeState(root))).toEqual(['edited', 'made', 'removed']);
  });
});
