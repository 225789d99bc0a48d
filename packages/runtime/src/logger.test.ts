import { readFileSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogFields } from './log-fields.ts';
import { makeLogger, silentLogger, type LogLevel } from './logger.ts';

const CANARY = 'sk-canary-4242';

const collecting = (level: LogLevel = 'debug') => {
  const lines: string[] = [];
  const log = makeLogger({ process: 'proxy', level, version: '1', to: { write: (line) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
};

describe('the logger', () => {
  it('writes one JSON line an event, with its level, process, version and time', () => {
    const { log, lines, last } = collecting();
    log.info(
      { budget: 'team-a/monthly', held: 12n, counters: ['a', 'b'], stream: true, limit: null },
      'request refused',
    );
    expect(lines).toHaveLength(1);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      process: 'proxy',
      version: '1',
      budget: 'team-a/monthly',
      held: '12',
      counters: ['a', 'b'],
      stream: true,
      limit: null,
      msg: 'request refused',
    });
  });

  it('writes what is at its level or above', () => {
    const { log, lines } = collecting('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({}, level);
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['warn', 'error']);
  });

  it('leaves out a field that is not on the list, and counts it', () => {
    const { log, lines, last } = collecting();
    const fields = {
      headers: { authorization: CANARY },
      body: CANARY,
      authorization: CANARY,
      budget: { nested: CANARY },
      model: 'm',
    };
    log.info(fields as unknown as LogFields, 'x');
    expect(lines.join('')).not.toContain(CANARY);
    expect(last()).toMatchObject({ model: 'm', omitted: 4 });
  });

  it('keeps a line one line, whatever a text holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const { log, lines } = collecting();
        log.info({ model: text }, 'x');
        expect(lines.join('').replace(/\n$/, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      }),
      { numRuns: 50 },
    );
  });

  it('cuts long texts and long lists', () => {
    const { log, last } = collecting();
    log.info({ model: 'x'.repeat(10_000), counters: Array.from({ length: 100 }, () => 'c') }, 'x');
    expect(last()['model']).toHaveLength(513);
    expect(last()['counters']).toHaveLength(20);
  });

  it('drops the query and the user part of URLs and paths', () => {
    const { log, lines, last } = collecting();
    log.info(
      { url: `https://u:${CANARY}@a.example/v1?key=${CANARY}#${CANARY}`, path: `/v1beta/models?key=${CANARY}` },
      'x',
    );
    expect(last()).toMatchObject({ url: 'https://a.example/v1', path: '/v1beta/models' });
    log.info({ url: CANARY }, 'x');
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('writes of an error its type, code, message, frames, and the type of its cause', () => {
    const { log, last } = collecting();
    const cause = Object.assign(new Error('unreachable'), { code: 'ECONNREFUSED' });
    log.error({ err: Object.assign(new Error('ledger away', { cause }), { code: 'LEDGER', request: CANARY }) }, 'x');
    expect(last()['err']).toEqual({
      type: 'Error',
      code: 'LEDGER',
      message: 'ledger away',
      cause: { type: 'Error', code: 'ECONNREFUSED' },
      at: expect.arrayContaining([expect.stringMatching(/^packages\/runtime\/src\/logger\.test\.ts:\d+:\d+$/)]),
    });
  });

  it.each<[string, () => unknown]>([
    ['JSON that cannot be parsed', () => JSON.parse(CANARY)],
    ['a number that is none', () => BigInt(CANARY)],
    ["Node's own argument errors", () => Buffer.alloc(CANARY as unknown as number)],
    [
      'the database',
      () => {
        throw Object.assign(new Error(`invalid input: "${CANARY}"`), { code: '22P02', detail: CANARY });
      },
    ],
    [
      'a client that hangs its request on the error',
      () => {
        throw Object.assign(new Error('failed'), { request: { headers: { authorization: CANARY } } });
      },
    ],
    [
      'a message of several lines',
      () => {
        throw Object.assign(new TypeError(`\n    at ${CANARY}\n    at x (/${CANARY})`));
      },
    ],
    [
      'something that is no error',
      () => {
        throw CANARY as unknown as Error;
      },
    ],
  ])('repeats no secret from %s', (_, act) => {
    const { log, lines } = collecting();
    try {
      act();
    } catch (err) {
      log.error({ err }, 'x');
    }
    expect(lines).toHaveLength(1);
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('carries the fields of `with` on every line, by the same list', () => {
    const { log, lines, last } = collecting();
    const child = log.with({ instance: 'i-1', secret: CANARY } as unknown as LogFields);
    child.warn({ seq: 3 }, 'x');
    expect(last()).toMatchObject({ instance: 'i-1', seq: 3 });
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('writes to a file descriptor at once', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-log-'));
    const path = join(folder, 'log');
    makeLogger({ process: 'p', level: 'info', to: openSync(path, 'w') }).info({}, 'written');
    expect(readFileSync(path, 'utf8')).toContain('"msg":"written"');
    rmSync(folder, { recursive: true });
  });

  it('can be silent', () => {
    const log = silentLogger();
    expect(log.with({})).toBe(log);
    expect(log.error({}, 'x')).toBeUndefined();
  });
});
