/** A probe per ban of our own in eslint.config.js: a snippet that breaks it, where it is refused and where it is not. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ESLint, type Linter } from 'eslint';

const ROOT = join(import.meta.dirname, '../../..');

interface Probe {
  readonly ban: string;
  readonly code: string;
  readonly refusedIn: string;
  readonly says: string;
  readonly fineIn: string | null;
}

const PROBES: readonly Probe[] = [
  {
    ban: 'process.env',
    code: 'export const a = process.env;',
    refusedIn: 'packages/server/src/x.ts',
    says: 'Only main.ts',
    fineIn: 'sidecar/src/main.ts',
  },
  {
    ban: 'Date.now',
    code: 'export const a = Date.now();',
    refusedIn: 'sidecar/src/pipeline/x.ts',
    says: 'clock',
    fineIn: 'packages/cli/src/main.ts',
  },
  {
    ban: 'new Date()',
    code: 'export const a = new Date();',
    refusedIn: 'packages/ledger/src/x.ts',
    says: 'clock',
    fineIn: 'packages/ledger/src/x.test.ts',
  },
  {
    ban: 'new Date() in store',
    code: 'export const a = new Date();',
    refusedIn: 'packages/store/src/x.ts',
    says: 'clock',
    fineIn: null,
  },
  {
    ban: 'Math.random',
    code: 'export const a = Math.random();',
    refusedIn: 'packages/ledger/src/x.ts',
    says: 'chance',
    fineIn: 'packages/bench/src/x.ts',
  },
  {
    ban: 'default exports',
    code: 'export default 1;',
    refusedIn: 'packages/cli/src/x.ts',
    says: 'by name',
    fineIn: null,
  },
  {
    ban: 'default exports in tests',
    code: 'export default 1;',
    refusedIn: 'packages/cli/src/x.test.ts',
    says: 'by name',
    fineIn: null,
  },
  {
    ban: 'fetch in pure packages',
    code: "export const a = fetch('http://a');",
    refusedIn: 'packages/budget/src/x.ts',
    says: 'no I/O',
    fineIn: 'packages/server/src/x.ts',
  },
  {
    ban: 'timers in pure packages',
    code: 'export const a = setTimeout(() => 1, 1);',
    refusedIn: 'packages/metering/src/x.ts',
    says: 'no I/O',
    fineIn: 'packages/ledger/src/x.ts',
  },
  {
    ban: 'process in pure packages',
    code: 'export const a = process.pid;',
    refusedIn: 'packages/providers/src/x.ts',
    says: 'no I/O',
    fineIn: 'packages/server/src/x.ts',
  },
  {
    ban: 'node: in pure packages',
    code: "import { join } from 'node:path';\nexport const a = join;",
    refusedIn: 'packages/api/src/x.ts',
    says: 'no I/O',
    fineIn: 'packages/prices/src/build/x.ts',
  },
  {
    ban: 'SQL templates',
    code: 'export const a = (db: any, x: string) => db.query(`where a = ${x}`);',
    refusedIn: 'packages/store/src/x.ts',
    says: '$1',
    fineIn: null,
  },
  {
    ban: 'SQL joined by +',
    code: "export const a = (db: any, x: string) => db.query('where a = ' + x);",
    refusedIn: 'packages/store/src/x.ts',
    says: '$1',
    fineIn: null,
  },
  {
    ban: 'SQL in a query object',
    code: 'export const a = (db: any, x: string) => db.query({ text: `where a = ${x}` });',
    refusedIn: 'packages/store/src/x.ts',
    says: '$1',
    fineIn: null,
  },
  {
    ban: 'SQL templates kept for later',
    code: 'export const a = (x: string) => `SELECT ${x}`;',
    refusedIn: 'packages/store/src/x.ts',
    says: '$1',
    fineIn: null,
  },
  {
    ban: 'console',
    code: "console.log('a');",
    refusedIn: 'packages/server/src/x.ts',
    says: 'console',
    fineIn: 'packages/bench/src/x.ts',
  },
];

const OURS = new Set([
  'no-restricted-properties',
  'no-restricted-syntax',
  'no-restricted-globals',
  'no-restricted-imports',
  'no-console',
]);

let eslint: ESLint;
beforeAll(() => {
  // The snippets are files that do not exist, so rules that need types are left out; ours need none.
  const untyped: Linter.Config = {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: null } },
  };
  eslint = new ESLint({ cwd: ROOT, overrideConfig: [untyped], ruleFilter: ({ ruleId }) => OURS.has(ruleId) });
});

const messagesFor = async (code: string, file: string): Promise<string[]> => {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  return (result?.messages ?? []).map(({ message }) => message);
};

describe('the lint bans', () => {
  it.each(PROBES)('refuse $ban in $refusedIn', async ({ code, refusedIn, says }) => {
    expect(await messagesFor(code, refusedIn)).toEqual([expect.stringContaining(says)]);
  });

  it.each(PROBES.filter(({ fineIn }) => fineIn !== null))('let $ban pass in $fineIn', async ({ code, fineIn }) => {
    expect(await messagesFor(code, fineIn ?? '')).toEqual([]);
  });

  it('let SQL with parameters, and with constants for its names, pass', async () => {
    const code = [
      "const COLUMNS = 'a, b';",
      "const KEY = { day: 'day' };",
      'export const a = (db: any, x: string) => db.query(`select ${COLUMNS}, ${KEY.day} where a = $1`, [x]);',
      'export const b = `select ${COLUMNS}`;',
    ].join('\n');
    expect(await messagesFor(code, 'packages/store/src/x.ts')).toEqual([]);
  });
});
