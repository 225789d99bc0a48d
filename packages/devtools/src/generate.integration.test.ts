import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

describe('generate --check', () => {
  it('finds the generated files of the repository to be what their sources say', () => {
    const script = join(import.meta.dirname, 'generate.ts');
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=source', script, '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
