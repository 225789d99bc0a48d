import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { manifestFaultText } from '@tollgate/api/schema';
import { watchManifests } from './watch-manifests.ts';
import type { ManifestWatch } from './watch-manifests.ts';

const manifest = (name: string): string =>
  `apiVersion: tollgate.dev/v1alpha1\nkind: TokenBudget\nmetadata: {name: ${name}}\nspec: {limits: [{name: all, period: Day, requests: {max: 5}}]}\n`;

let dir: string;
let watched: ManifestWatch | undefined;
let names: string[];
let faults: string[];
let troubles: string[];
let changes: number;

const start = async (root = dir): Promise<void> => {
  watched = await watchManifests({
    root,
    onResources: (resources) => {
      names = resources.map(({ metadata }) => metadata.name);
      changes += 1;
    },
    onFaults: (now) => {
      faults = now.map(manifestFaultText);
    },
    onTrouble: (message) => troubles.push(message),
  });
};

/** Waits for the file system to say so; the test's own time limit is the bound. */
const until = async (claim: () => boolean): Promise<void> => {
  while (!claim()) await new Promise((resolve) => setTimeout(resolve, 20));
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-manifests-'));
  [names, faults, troubles, changes] = [[], [], [], 0];
});

afterEach(async () => {
  await watched?.close();
  watched = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('a watched folder', () => {
  it('has its manifests in force before the watch is returned', async () => {
    writeFileSync(join(dir, 'a.yaml'), manifest('one'));
    mkdirSync(join(dir, 'team'));
    writeFileSync(join(dir, 'team', 'b.yml'), manifest('two'));
    writeFileSync(join(dir, '.hidden.yaml'), manifest('no'));
    writeFileSync(join(dir, 'notes.txt'), 'no manifest');
    await start();
    expect(names).toEqual(['one', 'two']);
    expect([...(watched?.current().keys() ?? [])]).toEqual(['a.yaml', 'team/b.yml']);
  });

  it('takes a new, an edited and a deleted file', async () => {
    await start();
    writeFileSync(join(dir, 'a.yaml'), manifest('one'));
    await until(() => names[0] === 'one');
    writeFileSync(join(dir, 'a.yaml'), manifest('uno'));
    await until(() => names[0] === 'uno');
    mkdirSync(join(dir, 'deep', 'er'), { recursive: true });
    writeFileSync(join(dir, 'deep', 'er', 'z.json'), manifest('z'));
    await until(() => names.length === 2);
    rmSync(join(dir, 'a.yaml'));
    await until(() => names.join() === 'z');
    rmSync(join(dir, 'deep'), { recursive: true });
    await until(() => names.length === 0);
  });

  it('takes the way editors save: a temporary file renamed over the old one, again and again', async () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, manifest('v0'));
    await start();
    for (const version of ['v1', 'v2', 'v3']) {
      writeFileSync(join(dir, '.a.yaml.swp'), manifest(version));
      renameSync(join(dir, '.a.yaml.swp'), file);
      await until(() => names[0] === version);
    }
    expect(faults).toEqual([]);
  });

  it('takes the way Kubernetes updates a mounted ConfigMap: a link swapped to another folder', async () => {
    for (const version of ['1', '2']) {
      mkdirSync(join(dir, `..${version}`));
      writeFileSync(join(dir, `..${version}`, 'a.yaml'), manifest(`v${version}`));
    }
    symlinkSync('..1', join(dir, '..data'));
    symlinkSync(join('..data', 'a.yaml'), join(dir, 'a.yaml'));
    await start();
    expect(names).toEqual(['v1']);
    symlinkSync('..2', join(dir, '..tmp'));
    renameSync(join(dir, '..tmp'), join(dir, '..data'));
    await until(() => names[0] === 'v2');
  });

  it('keeps the former manifest in force while the new one is bad, and clears the fault with the next good one', async () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, manifest('good'));
    await start();
    writeFileSync(file, manifest('good').replace('name: good', 'nome: good'));
    await until(() => faults.length > 0);
    expect(faults).toContain('a.yaml:3: TokenBudget: metadata.name: is required');
    expect(names).toEqual(['good']);
    writeFileSync(file, manifest('better'));
    await until(() => names[0] === 'better');
    await until(() => faults.length === 0);
  });

  it('does not drop the resources of a file that an editor cuts to nothing before it writes', async () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, manifest('one'));
    await start();
    writeFileSync(file, '');
    await new Promise((resolve) => setTimeout(resolve, 200));
    writeFileSync(file, manifest('two'));
    await until(() => names[0] === 'two');
    expect(changes).toBe(2);
  });

  it('keeps the resources of a file that stays empty, and says so, until the file is removed', async () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, manifest('one'));
    await start();
    writeFileSync(file, '');
    await until(() => faults.length > 0);
    expect(faults[0]).toContain('is empty, but held TokenBudget default/one');
    expect([names, changes]).toEqual([['one'], 1]);
    rmSync(file);
    await until(() => names.length === 0);
    expect(faults).toEqual([]);
  });

  it('keeps everything in force when the folder itself goes', async () => {
    const root = join(dir, 'gone');
    mkdirSync(root);
    writeFileSync(join(root, 'a.yaml'), manifest('one'));
    await start(root);
    renameSync(root, join(dir, 'elsewhere'));
    await until(() => troubles.length > 0);
    expect(names).toEqual(['one']);
  });

  it('may be one file', async () => {
    const file = join(dir, 'only.yaml');
    writeFileSync(file, manifest('one'));
    writeFileSync(join(dir, 'other.yaml'), manifest('two'));
    await start(file);
    expect(names).toEqual(['one']);
    writeFileSync(file, manifest('uno'));
    await until(() => names[0] === 'uno');
  });

  it('names a file that cannot be read, and keeps its former resources', async () => {
    const file = join(dir, 'a.yaml');
    writeFileSync(file, manifest('one'));
    await start();
    rmSync(file);
    symlinkSync('a.yaml', file);
    writeFileSync(join(dir, 'b.yaml'), manifest('two'));
    await until(() => faults.length > 0);
    expect(faults[0]).toContain('cannot be read (ELOOP)');
    expect(names.toSorted()).toEqual(['one', 'two']);
  });

  it('must exist', async () => {
    await expect(start(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
