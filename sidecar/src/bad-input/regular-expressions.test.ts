/** Bad input, tenth theme: no regular expression of ours can be made to think (reliability.md 4.3). */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { pathFate } from '@tollgate/providers';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What runs in production: no tests, and nothing that runs by hand on files of our own. */
const SOURCES = globSync(['sidecar/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: ROOT }).filter(
  (path) =>
    !/\.test\.ts$|\/testing\/|^packages\/(?:testkit|devtools|bench)\/|\/(?:contract|simulator|build)\//.test(path),
);

interface Found {
  readonly where: string;
  readonly pattern: RegExp;
}

const literalsOf = (path: string): Found[] => {
  const source = ts.createSourceFile(path, readFileSync(`${ROOT}/${path}`, 'utf8'), ts.ScriptTarget.Latest);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const pattern = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push({ where: `${path}:${String(line + 1)} ${node.text}`, pattern });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

/** The most that one header, or a whole head, can hold; texts in a body are scanned by hand, not by expressions. */
const LENGTH = 16 * 1024;
/** Short ones first: what takes exponential time must not be asked for more. */
const LENGTHS = [20, 24, 28, 256, LENGTH];
const UNITS = [
  ...[
    'a',
    'A',
    'z',
    '0',
    '9',
    ' ',
    '\t',
    '\n',
    '\r',
    '/',
    '.',
    '-',
    '_',
    '~',
    ':',
    ';',
    ',',
    '=',
    '&',
    '%',
    '+',
    '*',
    '"',
    "'",
    '\\',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '<',
    '>',
    '|',
    '^',
    '$',
    '#',
    '@',
    '?',
    '!',
    '\u0000',
    '\u00e9',
    '\u{1f309}',
    '\u2028',
  ],
  ...[
    'a.',
    '.a',
    'a-',
    '-a',
    '/a',
    'a/',
    '/./',
    '/../',
    '%2',
    '%2e',
    'a=',
    'a&',
    'a,',
    ', ',
    'a:',
    'a b',
    '\r\n',
    '\\u',
    '\\u0',
    '\\\\',
    '""',
    '0.',
    '1e',
    '10',
    '[:',
    '::',
    'ff:',
  ],
];
const PREFIXES = ['', 'a', '/', 'http://a', 'application/json', 'data:', '"'];
const SUFFIXES = ['', '\u0000'];
const LIMIT_MS = 10;

/** The best of some runs, since the machine may be busy. */
const milliseconds = (pattern: RegExp, text: string): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5 && best > LIMIT_MS; run += 1) {
    pattern.lastIndex = 0;
    const before = performance.now();
    if (pattern.global) text.replace(pattern, '');
    else pattern.test(text);
    best = Math.min(best, performance.now() - before);
  }
  return best;
};

const slowest = (pattern: RegExp): { readonly ms: number; readonly text: string } => {
  let worst = { ms: 0, text: '' };
  for (const length of LENGTHS) {
    for (const unit of UNITS) {
      const body = unit.repeat(Math.ceil(length / unit.length));
      for (const prefix of PREFIXES) {
        for (const suffix of SUFFIXES) {
          const ms = milliseconds(pattern, prefix + body + suffix);
          if (ms <= worst.ms) continue;
          worst = {
            ms,
            text: [prefix, `${unit}… (${String(length)})`, suffix].map((part) => JSON.stringify(part)).join(' + '),
          };
          if (ms > LIMIT_MS) return worst;
        }
      }
    }
  }
  return worst;
};

describe('the regular expressions that run in production', () => {
  const found = SOURCES.flatMap(literalsOf);

  it('row 51: are found', () => {
    expect(found.length).toBeGreaterThan(30);
  });

  it('row 51: each takes less than 10 ms for any 16 KiB that are made to keep it busy', () => {
    const slow = found.map(({ where, pattern }) => ({ where, ...slowest(pattern) })).filter(({ ms }) => ms > LIMIT_MS);
    expect(slow).toEqual([]);
  });

  it('row 51: neither does the table of paths, whose expressions are made of its rows', () => {
    const slow = UNITS.flatMap((unit) =>
      ['/', '/openai/v1/', '/gemini/v1beta/models/', '/azure/openai/deployments/', '/anthropic/v1/'].flatMap(
        (prefix) => {
          const target = (prefix + unit.repeat(8192)).slice(0, 8192);
          let best = Number.POSITIVE_INFINITY;
          for (let run = 0; run < 5 && best > LIMIT_MS; run += 1) {
            const before = performance.now();
            pathFate('POST', target);
            best = Math.min(best, performance.now() - before);
          }
          return best > LIMIT_MS ? [{ target: prefix + unit, best }] : [];
        },
      ),
    );
    expect(slow).toEqual([]);
  });

  it('row 51: the test would find one that is slow', () => {
    expect(slowest(/^(?:a+)+$/).ms).toBeGreaterThan(LIMIT_MS);
    expect(slowest(/a*b/).ms).toBeGreaterThan(LIMIT_MS);
  });
});
