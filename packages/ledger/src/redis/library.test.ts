import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DIALECT, FUNCTIONS, functionName, makeLibrary } from './library.ts';
import { LUA } from './library-text.ts';

const FOLDER = join(import.meta.dirname, 'library');
const files = readdirSync(FOLDER).map((file) => file.replace(/[.]lua$/, ''));
const textOf = (name: string): string => readFileSync(join(FOLDER, `${name}.lua`), 'utf8');

describe('the function library', () => {
  it('is the files beside it, as make generate wrote them down', () => {
    expect(Object.keys(LUA).sort()).toEqual([...files].sort());
    for (const [name, text] of Object.entries(LUA)) expect({ name, text }).toEqual({ name, text: textOf(name) });
  });

  it('has a header for every function: what it does, its keys, arguments, answer and cost', () => {
    for (const name of FUNCTIONS) {
      const head = textOf(name)
        .split('\n')
        .filter((line) => line.startsWith('--'))
        .join('\n');
      expect(head).toMatch(new RegExp(`^-- ${name}: `));
      for (const part of ['-- KEYS ', '-- ARGV ', '-- answer ', '-- touches ', 'O(']) expect(head).toContain(part);
    }
  });

  it('carries its version in every name, and another version where the code is another', () => {
    const { version, payload } = makeLibrary();
    expect(version).toMatch(new RegExp(`^${String(DIALECT)}[.][0-9a-f]{12}$`));
    expect(payload).toMatch(/^#!lua name=tollgate_1_[0-9a-f]{12}\n/);
    for (const name of FUNCTIONS) expect(payload).toContain(`function_name = '${functionName(version, name)}'`);
    const other = makeLibrary({ now: 'local function now() return 0 end' });
    expect(other.version).not.toBe(version);
    // What is said about the code does not change it.
    expect(makeLibrary({ now: `-- a remark\n${LUA.now}` }).version).toBe(version);
  });

  it('lets what frees memory run where there is none left', () => {
    const { payload } = makeLibrary();
    for (const name of ['giveback', 'close', 'drain', 'sweep'])
      expect(payload).toMatch(new RegExp(`_${name}', callback = ${name}, flags = \\{ 'allow-oom' \\}`));
    expect(payload).toMatch(/_lease', callback = lease, flags = \{ {2}\}/);
  });
});
