import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonScanner, type ScanRules } from './json-scanner.ts';
import { foldHash, makeKeyTable } from './key-table.ts';
import { ScanFault } from './scan-fault.ts';

const keys = makeKeyTable(['model', 'n', 'maxTokens'], { max_tokens: 'maxTokens' });
const RULES: ScanRules = { strictKeys: true, maxDepth: 64, maxEffort: 10_000_000 };
const scanOf = (text: string, rules = RULES) => new JsonScanner(Buffer.from(text), keys, rules);

const skipAll = (text: string): string => {
  try {
    const scan = scanOf(text);
    scan.skip();
    scan.finish();
    return 'ok';
  } catch (error) {
    if (error instanceof ScanFault) return error.code;
    throw error;
  }
};

/** Known keys of the top level with the values as they stand. */
const readTop = (text: string, rules = RULES): string[] => {
  const scan = scanOf(text, rules);
  const seen: string[] = [];
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    const value = scan.raw();
    if (key !== '') seen.push(`${key}=${value}`);
  }
  scan.finish();
  return seen;
};

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'ok';
  } catch (error) {
    return error instanceof ScanFault ? error.code : String(error);
  }
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('JsonScanner', () => {
  it('takes all JSON that JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 12 }), fc.constantFrom(0, 1, 2), (text, indent) => {
        expect(skipAll(JSON.stringify(JSON.parse(text), null, indent))).toBe('ok');
      }),
    );
  });

  it('takes nothing that JSON.parse refuses, but for what is inside strings', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '1', '-', 'e', '.', 'x', ' '),
        (json, at, put) => {
          const place = at % (json.length + 1);
          const text = json.slice(0, place) + put + json.slice(place + 1);
          if (skipAll(text) === 'ok' && !text.includes('\\')) expect(isJson(text)).toBe(true);
          if (isJson(text)) expect(skipAll(text)).toBe('ok');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses every proper beginning of a body', () => {
    const text = '{"model":"a\\"\\\\","n":[1,-2.5e+3,true,null,{"x":[]}],"é":{}}';
    for (let end = 0; end < text.length; end += 1) expect(skipAll(text.slice(0, end))).toBe('invalid_json');
    expect(skipAll(text)).toBe('ok');
  });

  it.each([
    '',
    ' ',
    '{} {}',
    '{"a":1,}',
    '[1,]',
    '{,}',
    '[,1]',
    '{"a"1}',
    '{a:1}',
    "{'a':1}",
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '+1',
    'nul',
    'tru',
    'falsy',
    'NaN',
    '/**/1',
    '"a',
    '"a\\"',
    '{"a":1]',
    '[1}',
  ])('refuses %j', (text) => {
    expect(skipAll(text)).toBe('invalid_json');
  });

  it.each([
    '0',
    '-0',
    '10',
    '1.5',
    '1e5',
    '1E-5',
    '-12.25e+10',
    'true',
    'false',
    'null',
    '"x"',
    '[]',
    '{}',
    ' [ ] ',
    '{ }',
    '\t\r\n{"a" : [ 1 , 2 ] }\n',
  ])('takes %j', (text) => {
    expect(skipAll(text)).toBe('ok');
  });

  it('finds the end of strings of any length with any run of backslashes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('\\', '"', 'a', 'bcdefgh'.repeat(30), 'é', '\n'), { maxLength: 60 }),
        (parts) => {
          const text = JSON.stringify({ n: parts.join(''), model: 'x' });
          expect(readTop(text)[1]).toBe('model="x"');
        },
      ),
    );
  });

  it('compares key names unescaped', () => {
    expect(readTop('{"mod\\u0065l":1,"\\u006e":2}')).toEqual(['model=1', 'n=2']);
    expect(readTop('{"model\\u0000":1,"mod\\"el":2}')).toEqual([]);
  });

  it.each([
    ['{"model":1,"model":2}', 'duplicate_key'],
    ['{"model":1,"mod\\u0065l":2}', 'duplicate_key'],
    ['{"x":1,"\\u0078":2}', 'duplicate_key'],
    ['{"maxTokens":1,"max_tokens":2}', 'duplicate_key'],
    ['{"Model":1}', 'ambiguous_key'],
    ['{"\\u004dodel":1}', 'ambiguous_key'],
    ['{"N":1}', 'ambiguous_key'],
    ['{"__proto__":1}', 'forbidden_key'],
    ['{"\\u005f_proto__":1}', 'forbidden_key'],
    ['{"constructor":{"prototype":{}}}', 'forbidden_key'],
    ['{"prototype":1}', 'forbidden_key'],
    ['{"a\nb":1}', 'invalid_json'],
    ['{"a\\xb":1}', 'invalid_json'],
  ])('refuses the keys of %j', (text, code) => {
    expect(codeOf(() => readTop(text))).toBe(code);
  });

  it('leaves keys alone where it only passes over', () => {
    expect(readTop('{"x":{"__proto__":1,"a":1,"a":2,"Model":3}}')).toEqual([]);
  });

  it('takes double keys where it is told to read without judging', () => {
    expect(readTop('{"n":1,"n":2,"Model":3,"__proto__":4}', { ...RULES, strictKeys: false })).toEqual(['n=1', 'n=2']);
  });

  it('tells keys apart that share a hash', () => {
    const hash = (text: string): number => [...Buffer.from(text)].reduce(foldHash, 0);
    // 31 × 'a' + 'b' = 31 × 'b' + 'C' with case folded.
    const [one, two] = ['ba', 'a\u0080'].map(hash);
    expect(one).not.toBe(two);
    expect(hash('a_')).toBe(hash('a\x7f'));
    expect(readTop('{"a_":1,"a\x7f":2}')).toEqual([]);
  });

  it('refuses more keys in one object than any format has', () => {
    const many = (count: number): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${String(i)}`, i])));
    expect(codeOf(() => readTop(many(128)))).toBe('ok');
    expect(codeOf(() => readTop(many(129)))).toBe('too_many_keys');
  });

  it('refuses nesting beyond the allowed depth, in objects, arrays and what it steps into', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(skipAll(nested(64))).toBe('ok');
    expect(skipAll(nested(65))).toBe('too_deep');
    expect(skipAll('['.repeat(200_000))).toBe('too_deep');
    expect(skipAll('{"a":'.repeat(65) + '1' + '}'.repeat(65))).toBe('too_deep');
    const scan = scanOf('[[1]]', { ...RULES, maxDepth: 1 });
    scan.openArray();
    expect(codeOf(() => scan.openArray())).toBe('too_deep');
  });

  it('refuses more than a scan may take: of values, and of bytes looked at one by one', () => {
    const skip = (text: string, maxEffort: number): string =>
      codeOf(() => scanOf(text, { ...RULES, maxEffort }).skip());
    expect(skip(JSON.stringify(Array(100).fill(0)), 3200)).toBe('ok');
    expect(skip(JSON.stringify(Array(101).fill(0)), 3200)).toBe('too_complex');
    expect(codeOf(() => readTop('{"a":1,"b":2}', { ...RULES, maxEffort: 63 }))).toBe('too_complex');
    const BIG = 100_000;
    for (const text of ['\\"'.repeat(BIG), '\\\\'.repeat(BIG)]) expect(skip(`"${text}"`, BIG)).toBe('too_complex');
    expect(skip(`[${' '.repeat(2 * BIG)}]`, BIG)).toBe('too_complex');
    expect(skip('1'.repeat(2 * BIG), BIG)).toBe('too_complex');
    expect(codeOf(() => readTop(`{"${'k'.repeat(2 * BIG)}":1}`, { ...RULES, maxEffort: BIG }))).toBe('too_complex');
    expect(skip(`"${'plain '.repeat(100_000)}"`, 5000)).toBe('ok');
  });

  it('unescapes a string that is asked for, and not one that is too long', () => {
    const scan = scanOf('["a\\u0065\\n","abcd"]');
    scan.openArray();
    expect(scan.text(20)).toBe('ae\n');
    scan.anotherElement();
    expect(scan.text(3)).toBeNull();
    expect(scan.anotherElement()).toBe(false);
    expect(scan.textBytes).toBe(13);
  });

  it('reads a part of some bytes as if nothing were around it', () => {
    const scan = scanOf('');
    const bytes = Buffer.from('xx{"n":12}34');
    scan.reset(bytes, 2, 10);
    expect(scan.openObject()).toBe(true);
    expect(scan.key()).toBe('n');
    expect(scan.raw()).toBe('12');
    expect(scan.anotherMember()).toBe(false);
    scan.finish();
    scan.reset(bytes, 2, 9);
    expect(codeOf(() => scan.skip())).toBe('invalid_json');
    scan.reset(Buffer.from('"abc"'), 0, 4);
    expect(codeOf(() => scan.skip())).toBe('invalid_json');
  });

  it.each([
    ['{}', 'object'],
    ['[]', 'array'],
    ['"a"', 'string'],
    ['-1', 'number'],
    ['7', 'number'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
    ['?', 'none'],
    ['', 'none'],
  ])('sees what %j is without moving', (text, kind) => {
    const scan = scanOf(` ${text}`);
    expect(scan.peek()).toBe(kind);
    expect(scan.pos).toBe(1);
  });

  it.each([
    ['{}', true],
    ['[ ]', true],
    ['{"a":1}', false],
    ['[0]', false],
    ['[', false],
  ])('says whether %j is empty: %j', (text, empty) => {
    expect(scanOf(text).isEmptyNext()).toBe(empty);
  });
});
