import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LOCK_FILE, lockState } from './state-lock.ts';

/** Above the largest pid that Linux gives out. */
const DEAD = 2 ** 22 + 1;
const now = (): number => 1_000_000_000_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the lock of a state directory', () => {
  it('is held by one owner, whose pid the refusal names', () => {
    const release = lockState(dir, now);
    expect(() => lockState(dir, now)).toThrow(`in use by process ${process.pid}`);
    release();
    lockState(dir, now)();
  });

  it('is taken over from an owner that is dead', () => {
    writeFileSync(join(dir, LOCK_FILE), JSON.stringify({ pid: DEAD, born: '1' }));
    const release = lockState(dir, now);
    expect(readFileSync(join(dir, LOCK_FILE), 'utf8')).toContain(`"pid":${process.pid}`);
    release();
  });

  it('is taken over when its pid now belongs to somebody else', () => {
    writeFileSync(join(dir, LOCK_FILE), JSON.stringify({ pid: process.pid, born: 'long ago' }));
    lockState(dir, now)();
  });

  it('is taken over when a crash left it torn', () => {
    writeFileSync(join(dir, LOCK_FILE), '{"pi');
    lockState(dir, now)();
  });

  it('is not taken over while another start is taking it over, unless that one crashed', () => {
    writeFileSync(join(dir, LOCK_FILE), JSON.stringify({ pid: DEAD, born: '1' }));
    const guard = join(dir, `${LOCK_FILE}.takeover`);
    writeFileSync(guard, '');
    utimesSync(guard, now() / 1000, now() / 1000);
    expect(() => lockState(dir, now)).toThrow('in use by another start');
    expect(() => lockState(dir, () => now() + 4000)).toThrow('in use by another start');
    lockState(dir, () => now() + 6000)();
  });

  it('is not released by one who lost it', () => {
    const release = lockState(dir, now);
    writeFileSync(join(dir, LOCK_FILE), 'somebody else');
    release();
    expect(readFileSync(join(dir, LOCK_FILE), 'utf8')).toBe('somebody else');
  });
});
