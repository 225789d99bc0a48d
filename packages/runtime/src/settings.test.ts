import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigFault } from './config-fault.ts';
import { layeredEnv } from './setting-layers.ts';
import { describeSettings, flag, integer, json, listen, loadSettings, settingsTable } from './settings.ts';

const schema = z.object({
  serverUrl: z.url().meta({ description: 'Where the server is.' }),
  poolSize: integer(1, 50).default(10),
  verbose: flag().default(false),
  listen: listen().optional(),
  labels: json(z.object({ team: z.string() })).optional(),
  databaseUrl: z
    .string()
    .default('postgres://x')
    .meta({ env: 'DATABASE_URL', secret: true, description: 'The database.' }),
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigFault) return error.message;
    throw error;
  }
  return 'no fault';
};

describe('settings', () => {
  it('come from the file, then .env, then the environment, the latter winning', () => {
    const file = written(
      'settings.yaml',
      'serverUrl: http://file\npoolSize: 3\nverbose: true\nlabels: { team: a }\nlisten: "127.0.0.1:1"\n',
    );
    const envFile = written('.env', 'TOLLGATE_SERVER_URL=http://dotenv\nTOLLGATE_POOL_SIZE=4\nUNRELATED=1\n');
    const env = { TOLLGATE_POOL_SIZE: '5', TOLLGATE_VERBOSE: '', DATABASE_URL: 'postgres://env' };
    expect(loadSettings(schema, { env, envFile, file })).toEqual({
      serverUrl: 'http://dotenv',
      poolSize: 5,
      verbose: true,
      listen: { host: '127.0.0.1', port: 1 },
      labels: { team: 'a' },
      databaseUrl: 'postgres://env',
    });
  });

  it('may be JSON, by the names of the variables, and in parts missing', () => {
    const file = written('settings.json', '{"TOLLGATE_SERVER_URL": "http://file", "verbose": null}');
    expect(loadSettings(schema, { env: {}, envFile: join(folder, 'none'), file })).toMatchObject({
      serverUrl: 'http://file',
      verbose: false,
    });
    expect(
      loadSettings(schema, { env: { TOLLGATE_SERVER_URL: 'http://e' }, file: written('empty.yaml', '') }),
    ).toMatchObject({ poolSize: 10 });
  });

  it('reads structures and words from variables', () => {
    const env = { TOLLGATE_SERVER_URL: 'http://e', TOLLGATE_LABELS: '{"team":"b"}', TOLLGATE_VERBOSE: 'on' };
    expect(loadSettings(schema, { env })).toMatchObject({ labels: { team: 'b' }, verbose: true });
  });

  it('names every fault and where it was written, and quotes no value', () => {
    const file = written('settings.yaml', 'pool_size: 1\nnonsense: 2\nlabels: { team: 5 }\nverbose: canary-1\n');
    const env = { TOLLGATE_POOL_SIZE: 'canary-2', TOLLGATE_LISTEN: 'canary-3' };
    const message = messageOf(() => loadSettings(schema, { env, file }));
    expect(message.split('\n')).toEqual([
      'The configuration has 7 faults:',
      '  pool_size: is no setting; did you mean poolSize?',
      '  nonsense: is no setting',
      '  TOLLGATE_SERVER_URL: is not set, and it is required',
      '  TOLLGATE_POOL_SIZE: must be a whole number',
      `  verbose (${file}): must be true or false`,
      '  TOLLGATE_LISTEN: must be host:port',
      expect.stringContaining(`  labels (${file}).team: `),
    ]);
    expect(message).not.toContain('canary');
  });

  it('says when a structure is no JSON, or a number is out of range', () => {
    const env = { TOLLGATE_SERVER_URL: 'http://e', TOLLGATE_LABELS: '{canary', TOLLGATE_POOL_SIZE: '51' };
    const message = messageOf(() => loadSettings(schema, { env }));
    expect(message).toContain('TOLLGATE_LABELS: must be JSON');
    expect(message).toContain('TOLLGATE_POOL_SIZE: must be at most 50');
    expect(message).not.toContain('canary');
  });

  it.each([
    ['a missing file', () => join(folder, 'missing.yaml'), 'does not exist'],
    ['a folder', () => folder, 'cannot be read'],
    ['what no parser reads', () => written('bad.yaml', 'a: [canary'), 'cannot be parsed'],
    ['a list', () => written('list.yaml', '- a'), 'must be a map'],
  ])('refuses %s as the settings file', (_, file, expected) => {
    const message = messageOf(() => loadSettings(schema, { env: {}, file: file() }));
    expect(message).toContain(expected);
    expect(message).not.toContain('canary');
  });

  it('document themselves, without the default of a secret', () => {
    expect(describeSettings(schema).map(({ env, required, fallback }) => [env, required, fallback])).toEqual([
      ['TOLLGATE_SERVER_URL', true, null],
      ['TOLLGATE_POOL_SIZE', false, '10'],
      ['TOLLGATE_VERBOSE', false, 'false'],
      ['TOLLGATE_LISTEN', false, null],
      ['TOLLGATE_LABELS', false, null],
      ['DATABASE_URL', false, null],
    ]);
    expect(settingsTable(schema)).toContain('| `DATABASE_URL` | `databaseUrl` | – | The database. Secret. |');
    expect(settingsTable(schema)).toContain(
      '| `TOLLGATE_SERVER_URL` | `serverUrl` | required | Where the server is. |',
    );
  });
});

describe('the layered environment', () => {
  it('is one environment for a process that reads variables only', () => {
    const file = written('settings.json', '{"A": "file", "B": "file", "C": 3, "D": {"x": 1}}');
    const envFile = written('.env', 'A=dotenv\nB=dotenv\n');
    expect(layeredEnv({ env: { A: 'env', B: '' }, envFile, file })).toEqual({
      A: 'env',
      B: 'dotenv',
      C: '3',
      D: '{"x":1}',
    });
    expect(layeredEnv({ env: { A: 'env' } })).toEqual({ A: 'env' });
  });
});
