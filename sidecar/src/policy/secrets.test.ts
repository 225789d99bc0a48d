import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSecrets } from './secrets.ts';

describe('provider keys', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tollgate-secrets-'));
    mkdirSync(join(dir, 'openai'));
    writeFileSync(join(dir, 'openai', 'api-key'), 'from-file\n');
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  it('come from the folder first, then from the environment', () => {
    const secrets = makeSecrets({
      dir,
      env: { TOLLGATE_SECRET_OPENAI_API_KEY: 'from-env', TOLLGATE_SECRET_MY_TEAM_KEY: 'k' },
      clock: () => 0,
    });
    expect([secrets.find('openai', 'api-key'), secrets.find('my.team', 'key'), secrets.find('absent', 'key')]).toEqual([
      'from-file',
      'k',
      null,
    ]);
  });

  it('are read again once they may have been rotated', () => {
    let now = 0;
    const secrets = makeSecrets({ dir, env: {}, clock: () => now });
    expect(secrets.find('openai', 'api-key')).toBe('from-file');
    writeFileSync(join(dir, 'openai', 'api-key'), 'rotated');
    now = 4_999;
    expect(secrets.find('openai', 'api-key')).toBe('from-file');
    now = 5_001;
    expect(secrets.find('openai', 'api-key')).toBe('rotated');
  });

  it('are never read through a name that leaves the folder', () => {
    const secrets = makeSecrets({ dir, env: {}, clock: () => 0 });
    expect([
      secrets.find('..', 'passwd'),
      secrets.find('openai/..', 'x'),
      secrets.find('openai', '../openai/api-key'),
    ]).toEqual([null, null, null]);
  });
});
