import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFault, readEnv } from '@tollgate/runtime';
import { readConfig } from './config.ts';

const REQUIRED = { TOLLGATE_TOKEN_FILE: '/token', TOLLGATE_SPOOL_DIR: '/spool' };

/** The variables that reading the settings looks at. */
const variablesRead = (): string[] => {
  const seen = new Set<string>();
  const recording = new Proxy(REQUIRED, {
    get: (target: Readonly<Record<string, string>>, name) => {
      seen.add(String(name));
      return target[String(name)];
    },
  });
  readEnv(recording, readConfig);
  return [...seen];
};

describe('the settings of the proxy', () => {
  it('need only a token and a spool', () => {
    expect(readEnv(REQUIRED, readConfig)).toMatchObject({
      listen: { host: '127.0.0.1', port: 4100 },
      subject: { namespace: 'default', workload: 'local', team: 'default' },
      allowPrivateUpstreams: false,
    });
  });

  it('are all in the docs, with the defaults they have', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
    const names = variablesRead();
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const { limits } = readEnv(REQUIRED, readConfig);
    for (const value of Object.values(limits)) expect(page).toContain(`| ${String(value)} |`);
  });

  it('name every fault at once, and quote no value', () => {
    const faulty = { TOLLGATE_SUBJECT: '{"namespace":""}', TOLLGATE_LISTEN: 'secret-value', TOLLGATE_GRACE_MS: '-1' };
    try {
      readEnv(faulty, readConfig);
      throw new Error('no fault was found');
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw error;
      expect(error.faults.map(({ name }) => name).sort()).toEqual([
        'TOLLGATE_GRACE_MS',
        'TOLLGATE_LISTEN',
        'TOLLGATE_SPOOL_DIR',
        'TOLLGATE_SUBJECT',
        'TOLLGATE_TOKEN_FILE',
      ]);
      expect(error.message).not.toContain('secret-value');
    }
  });

  it.each([
    ['{"namespace":"team-a","workload":"chat"}', { namespace: 'team-a', team: 'team-a' }],
    [
      '{"namespace":"a","workload":"b","team":"core","pod":"p","serviceAccount":"s","labels":{"app":"x"}}',
      { team: 'core', pod: 'p', serviceAccount: 's', labels: { app: 'x' } },
    ],
  ])('read the subject %s', (TOLLGATE_SUBJECT, expected) => {
    expect(readEnv({ ...REQUIRED, TOLLGATE_SUBJECT }, readConfig).subject).toMatchObject(expected);
  });

  it.each(['[]', '{"namespace":"a"}', '{"namespace":"a","workload":"b","labels":{"x":1}}', 'not json'])(
    'refuse the subject %s',
    (TOLLGATE_SUBJECT) => {
      expect(() => readEnv({ ...REQUIRED, TOLLGATE_SUBJECT }, readConfig)).toThrow(ConfigFault);
    },
  );
});
