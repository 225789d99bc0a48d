import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lookUpSecret, secretVariable, writeMockSecrets } from './secrets.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-secrets-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const openai = { name: 'openai-key', key: 'api.key' };

describe('a provider key', () => {
  it('is read from the environment', () => {
    expect(secretVariable(openai)).toBe('TOLLGATE_SECRET_OPENAI_KEY_API_KEY');
    expect(lookUpSecret({ dir: null, env: { TOLLGATE_SECRET_OPENAI_KEY_API_KEY: 'sk' } }, openai)).toEqual({
      found: true,
    });
  });

  it('is read from the secrets directory', () => {
    mkdirSync(join(dir, 'openai-key'));
    writeFileSync(join(dir, 'openai-key', 'api.key'), 'sk');
    expect(lookUpSecret({ dir, env: {} }, openai)).toEqual({ found: true });
  });

  it('that is nowhere is asked for by the command or file that grants it', () => {
    expect(lookUpSecret({ dir: null, env: { TOLLGATE_SECRET_OPENAI_KEY_API_KEY: '' } }, openai)).toEqual({
      found: false,
      grant: expect.stringContaining('export TOLLGATE_SECRET_OPENAI_KEY_API_KEY=…'),
    });
    expect(lookUpSecret({ dir, env: {} }, openai)).toEqual({
      found: false,
      grant: expect.stringContaining(join(dir, 'openai-key', 'api.key')),
    });
  });

  it('of an empty file, or outside of the directory, is not found', () => {
    mkdirSync(join(dir, 'openai-key'));
    writeFileSync(join(dir, 'openai-key', 'api.key'), '');
    writeFileSync(join(dir, 'outside'), 'sk');
    expect(lookUpSecret({ dir, env: {} }, openai).found).toBe(false);
    expect(lookUpSecret({ dir: join(dir, 'openai-key'), env: {} }, { name: '..', key: 'outside' }).found).toBe(false);
  });

  it('of the mock provider exists for every name and is worth nothing', () => {
    writeMockSecrets(dir, [openai, { name: '..', key: 'x' }]);
    writeMockSecrets(dir, [openai]);
    expect(readFileSync(join(dir, 'openai-key', 'api.key'), 'utf8')).toContain('mock');
    expect(lookUpSecret({ dir, env: {} }, openai)).toEqual({ found: true });
  });
});
