import { mkdtempSync, readFileSync, rmSync, statSync, existsSync, chmodSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultStatePath, makeStateDir, stateDirOf, writeServeRecord, writeToken } from './state-dir.ts';

const REAL = { isMock: false };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-state-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the state directory', () => {
  it('lies where XDG says, else below the home', () => {
    expect(defaultStatePath({ XDG_STATE_HOME: '/x' }, '/home/a')).toBe('/x/tollgate');
    expect(defaultStatePath({ XDG_STATE_HOME: '' }, '/home/a')).toBe('/home/a/.local/state/tollgate');
  });

  it('is closed to other users', () => {
    const state = stateDirOf(join(dir, 'new', 'state'), REAL);
    makeStateDir(state);
    expect(modeOf(state.root)).toBe(0o700);
    expect(modeOf(state.spool)).toBe(0o700);
  });

  it('keeps simulated money apart from real money', () => {
    const [real, mock] = [stateDirOf(dir, REAL), stateDirOf(dir, { isMock: true })];
    expect([real.database, real.spool]).toEqual([join(dir, 'database'), join(dir, 'spool')]);
    expect([mock.database, mock.spool]).toEqual([join(dir, 'mock', 'database'), join(dir, 'mock', 'spool')]);
    expect([mock.root, mock.tokenFile, mock.serveFile]).toEqual([real.root, real.tokenFile, real.serveFile]);
    makeStateDir(mock);
    expect(modeOf(mock.spool)).toBe(0o700);
    expect(existsSync(real.spool)).toBe(false);
  });

  it('that cannot be made is named, at once', () => {
    expect(() => {
      makeStateDir(stateDirOf('/proc/tollgate/state', REAL));
    }).toThrow(expect.objectContaining({ code: 'config', message: expect.stringContaining('/proc/tollgate/state') }));
  });

  it('holds a token of this run only, readable by its owner', () => {
    const state = stateDirOf(dir, REAL);
    writeFileSync(state.tokenFile, 'old');
    chmodSync(state.tokenFile, 0o644);
    const token = writeToken(state);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(readFileSync(state.tokenFile, 'utf8')).toBe(token);
    expect(modeOf(state.tokenFile)).toBe(0o600);
    expect(writeToken(state)).not.toBe(token);
  });

  it('says where a running serve is, until it stops', () => {
    const state = stateDirOf(dir, REAL);
    const record = {
      serverUrl: 'http://s',
      proxyUrl: 'http://p',
      adminUrl: 'http://a',
      pid: 1,
      tokenFile: state.tokenFile,
    };
    const remove = writeServeRecord(state, record);
    expect(JSON.parse(readFileSync(state.serveFile, 'utf8'))).toEqual(record);
    remove();
    expect(existsSync(state.serveFile)).toBe(false);
  });
});
