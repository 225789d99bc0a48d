import { describe, expect, it } from '@jest/globals';
import { manifestFaultText } from '@tollgate/api/schema';
import { EMPTY_FOLDER, faultsOf, nextFolder, resourceKey, resourcesOf } from './folder-state.ts';
import type { FolderState } from './folder-state.ts';

const budget = (name: string, max: number | string, namespace = 'default'): string =>
  [
    'apiVersion: tollgate.dev/v1alpha1',
    'kind: TokenBudget',
    `metadata: {name: ${name}, namespace: ${namespace}}`,
    'spec:',
    '  limits:',
    '  - name: all',
    '    period: Day',
    `    requests: {max: ${max}}`,
    '',
  ].join('\n');

const step = (former: FolderState, files: Record<string, string>): FolderState =>
  nextFolder(former, new Map(Object.entries(files)));
const inForce = (folder: FolderState): string[] =>
  resourcesOf(folder).map(
    (r) => `${resourceKey(r)}=${r.kind === 'TokenBudget' ? r.spec.limits[0]?.requests?.max : ''}`,
  );
const faults = (folder: FolderState): string[] => faultsOf(folder).map(manifestFaultText);

describe('the resources of a folder', () => {
  it('are all documents of all files, in the order of the files', () => {
    const folder = step(EMPTY_FOLDER, {
      'b.yaml': budget('two', 2),
      'a.yaml': `${budget('one', 1)}---\n${budget('uno', 11, 'it')}`,
    });
    expect(inForce(folder)).toEqual([
      'TokenBudget default/one=1',
      'TokenBudget it/uno=11',
      'TokenBudget default/two=2',
    ]);
    expect(faults(folder)).toEqual([]);
  });

  it('come from JSON as well', () => {
    const manifest = {
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'one' },
      spec: { limits: [{ name: 'all', period: 'Day', requests: { max: 1 } }] },
    };
    expect(inForce(step(EMPTY_FOLDER, { 'a.json': JSON.stringify(manifest) }))).toEqual(['TokenBudget default/one=1']);
  });

  it('keep their former value while their file is wrong, and every fault is named with file, line and path', () => {
    const good = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1), 'b.yaml': budget('two', 2) });
    const bad = step(good, {
      'a.yaml': `${budget('one', 5)}---\n${budget('x', 'many')}---\napiVersion: tollgate.dev/v1alpha1\nkind: TokenBudget\n`,
      'b.yaml': budget('two', 3),
    });
    expect(inForce(bad)).toEqual(['TokenBudget default/one=1', 'TokenBudget default/two=3']);
    expect(faults(bad)).toEqual([
      'a.yaml:17: TokenBudget default/x: spec.limits[0].requests.max: must be a whole number, not "many"',
      'a.yaml:19: TokenBudget: metadata: is required',
      'a.yaml:19: TokenBudget: spec: is required',
    ]);
    expect(inForce(step(bad, { 'a.yaml': budget('one', 5), 'b.yaml': budget('two', 3) }))).toEqual([
      'TokenBudget default/one=5',
      'TokenBudget default/two=3',
    ]);
  });

  it('survive broken YAML, which is named with its line', () => {
    const good = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1) });
    const bad = step(good, { 'a.yaml': 'kind: [Toy\nspec: }\n' });
    expect(inForce(bad)).toEqual(['TokenBudget default/one=1']);
    expect(faults(bad)[0]).toMatch(/^a\.yaml:2: YAML: /);
  });

  it('survive two keys of one name, aliases without end and a document that is no mapping', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    for (const text of [
      `${budget('one', 1)}spec: {}\n`,
      bomb,
      '- just\n- a list\n',
      '42\n',
      ' '.repeat(4 * 1024 * 1024 + 1),
    ]) {
      const folder = step(step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1) }), { 'a.yaml': text });
      expect(inForce(folder)).toEqual(['TokenBudget default/one=1']);
      expect(faults(folder).length).toBeGreaterThan(0);
    }
  });

  it('go with their file', () => {
    const both = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1), 'b.yaml': budget('two', 2) });
    expect(inForce(step(both, { 'b.yaml': budget('two', 2) }))).toEqual(['TokenBudget default/two=2']);
    const three = step(EMPTY_FOLDER, { 'a.yaml': `${budget('one', 1)}---\n${budget('two', 2)}` });
    expect(inForce(step(three, { 'a.yaml': budget('two', 2) }))).toEqual(['TokenBudget default/two=2']);
  });

  it.each(['', ' \n', '# nothing left\n', '---\n---\n', 'null\n', '\uFEFF'])(
    'stay in force when their file is emptied to %j, until it goes, and are not deleted by a second look',
    (text) => {
      const one = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1), 'b.yaml': budget('two', 2) });
      const emptied = step(step(one, { 'a.yaml': text, 'b.yaml': budget('two', 3) }), {
        'a.yaml': text,
        'b.yaml': budget('two', 4),
      });
      expect(inForce(emptied)).toEqual(['TokenBudget default/one=1', 'TokenBudget default/two=4']);
      expect(faults(emptied)).toEqual([
        'a.yaml (document 1): file: is empty, but held TokenBudget default/one: what it held stays in force; remove the file to delete it',
      ]);
      expect(inForce(step(emptied, { 'b.yaml': budget('two', 4) }))).toEqual(['TokenBudget default/two=4']);
      const written = step(emptied, { 'a.yaml': budget('one', 7), 'b.yaml': budget('two', 4) });
      expect([inForce(written)[0], faults(written)]).toEqual(['TokenBudget default/one=7', []]);
    },
  );

  it('may leave an empty file behind when they moved to another, in one edit or in two', () => {
    const one = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1) });
    const moved = step(one, { 'a.yaml': '', 'b.yaml': budget('one', 5) });
    const inTwo = step(step(one, { 'a.yaml': budget('one', 1), 'b.yaml': budget('one', 5) }), {
      'a.yaml': '',
      'b.yaml': budget('one', 5),
    });
    for (const folder of [moved, inTwo]) {
      expect(inForce(folder)).toEqual(['TokenBudget default/one=5']);
      expect(faults(folder)).toEqual([]);
    }
    expect(faults(step(EMPTY_FOLDER, { 'a.yaml': '' }))).toEqual([]);
  });

  it('are not taken from a file that also holds kinds of other groups, which it names', () => {
    const folder = step(EMPTY_FOLDER, {
      'a.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\n${budget('one', 1)}`,
    });
    expect(inForce(folder)).toEqual([]);
    expect(faults(folder)[0]).toContain('apps/v1');
  });

  it('refuse one name written twice in a file', () => {
    expect(faults(step(EMPTY_FOLDER, { 'a.yaml': `${budget('one', 1)}---\n${budget('one', 2)}` }))).toEqual([
      'a.yaml:10: TokenBudget default/one: metadata.name: is already defined at a.yaml:1',
    ]);
  });

  it('stay with the file that held them when another one claims them', () => {
    const first = step(EMPTY_FOLDER, { 'b.yaml': budget('one', 1) });
    const contested = step(first, {
      'a.yaml': `${budget('one', 9)}---\n${budget('new', 3)}`,
      'b.yaml': budget('one', 2),
    });
    expect(inForce(contested)).toEqual(['TokenBudget default/one=2']);
    expect(faults(contested)).toEqual([
      'a.yaml (document 1): TokenBudget default/one: metadata.name: is already defined in b.yaml',
    ]);
    expect(inForce(step(contested, { 'a.yaml': `${budget('one', 9)}---\n${budget('new', 3)}` }))).toEqual([
      'TokenBudget default/one=9',
      'TokenBudget default/new=3',
    ]);
  });

  it('go to the first file by name when both claim them at once', () => {
    const folder = step(EMPTY_FOLDER, { 'b.yaml': budget('one', 2), 'a.yaml': budget('one', 1) });
    expect(inForce(folder)).toEqual(['TokenBudget default/one=1']);
    expect(faults(folder)).toEqual([
      'b.yaml (document 1): TokenBudget default/one: metadata.name: is already defined in a.yaml',
    ]);
  });

  it('move from one file to another in one edit', () => {
    const before = step(EMPTY_FOLDER, { 'a.yaml': budget('one', 1), 'b.yaml': budget('two', 2) });
    const after = step(before, { 'a.yaml': budget('two', 2), 'b.yaml': budget('one', 1) });
    expect(inForce(after)).toEqual(['TokenBudget default/two=2', 'TokenBudget default/one=1']);
    expect(faults(after)).toEqual([]);
  });
});
