import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { withLicences } from './declared-licences.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-licences-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const install = (folder: string, name: string, manifest: object): void => {
  const path = join(root, 'node_modules/.pnpm', folder, 'node_modules', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
};

it('a bill takes each licence that it lacks from the package of that very version, and says where none is declared', () => {
  install('pino@10.0.0', 'pino', { license: 'MIT' });
  install('pino@9.0.0', 'pino', { license: 'ISC' });
  install('@a+b@1.2.3_peer@2.0.0', '@a/b', { license: 'BSD-3-Clause' });
  install('old@1.0.0', 'old', { licenses: [{ type: 'MIT' }] });
  const entry = (name: string, versionInfo: string, licenseDeclared = 'NOASSERTION') => ({
    name,
    versionInfo,
    licenseDeclared,
  });
  const filled = withLicences(root, [
    entry('pino', '10.0.0'),
    entry('@a/b', '1.2.3'),
    entry('old', '1.0.0'),
    entry('absent', '1.0.0'),
    entry('said', '1.0.0', 'Apache-2.0'),
  ]);
  expect(filled.map(({ name, licenseDeclared }) => [name, licenseDeclared])).toEqual([
    ['pino', 'MIT'],
    ['@a/b', 'BSD-3-Clause'],
    ['old', 'NOASSERTION'],
    ['absent', 'NOASSERTION'],
    ['said', 'Apache-2.0'],
  ]);
});
