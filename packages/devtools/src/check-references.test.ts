import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkReferences } from './check-references.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-references-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (
  folder: string,
  name: string,
  dependencies: Record<string, string>,
  references: readonly string[],
): void => {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'package.json'), JSON.stringify({ name, dependencies }));
  writeFileSync(
    join(root, folder, 'tsconfig.json'),
    JSON.stringify({ references: references.map((path) => ({ path })) }),
  );
};

const referenced = (...paths: string[]): void => {
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ references: paths.map((path) => ({ path })) }));
};

describe('the tsconfig references', () => {
  it('agree where each equals a workspace dependency', () => {
    put('packages/a', '@t/a', { zod: '4.0.0' }, []);
    put('sidecar', '@t/s', { '@t/a': 'workspace:*' }, ['../packages/a']);
    referenced('./packages/a', './sidecar');
    expect(checkReferences(root)).toEqual([]);
  });

  it('are faulty where one is missing, too many, or not in the root', () => {
    put('packages/a', '@t/a', {}, ['../b']);
    put('packages/b', '@t/b', { '@t/a': 'workspace:*' }, []);
    referenced('./packages/a');
    expect(checkReferences(root)).toEqual([
      { package: '@t/a', message: 'its tsconfig references packages/b; package.json does not depend on it' },
      { package: '@t/b', message: 'depends on @t/a; its tsconfig does not reference packages/a' },
      { package: '@t/b', message: 'the root tsconfig.json does not reference packages/b' },
    ]);
  });
});
