import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeFolder } from './make-folder.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-folder-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('a folder', () => {
  it('is made with those above it, for this user alone, and left as it is where it is there', () => {
    const path = join(root, 'a', 'b');
    makeFolder(path);
    expect([statSync(path).mode & 0o777, statSync(join(root, 'a')).mode & 0o777]).toEqual([0o700, 0o700]);
    chmodSync(path, 0o755);
    makeFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it('that cannot be is a fault, at once', () => {
    expect(() => makeFolder('/proc/tollgate')).toThrow('ENOENT');
    expect(() => makeFolder('/proc/tollgate/state/spool')).toThrow('ENOENT');
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow('EEXIST');
    expect(() => makeFolder(join(file, 'below'))).toThrow('ENOTDIR');
  });
});
