import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigFault } from './config-fault.ts';
import { parseFlag, readEnv, type Env, type EnvReader } from './env-reader.ts';

const faultsOf = (env: Env, build: (read: EnvReader) => unknown): readonly { name: string; message: string }[] => {
  try {
    readEnv(env, build);
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults;
    throw error;
  }
  return [];
};

const PORT = { min: 1, max: 65_535 };

describe('the environment reader', () => {
  it('reads each type', () => {
    const env = {
      NAME: 'a',
      PORT: '80',
      ON: 'Yes',
      OFF: '0',
      MODE: 'slow',
      URL: 'https://a.example/base/',
      SERVERS: 'http://a:1/, https://b/base',
      LISTEN: '[::1]:4100',
      SUBJECT: '{"team":"a"}',
      SECRET_A: 'x',
      SECRET_B: 'y',
      SECRET_EMPTY: '',
    };
    expect(
      readEnv(env, (read) => ({
        name: read.text('NAME'),
        port: read.integer('PORT', PORT),
        on: read.flag('ON', false),
        off: read.flag('OFF', true),
        mode: read.oneOf('MODE', ['fast', 'slow']),
        url: read.url('URL'),
        proxy: read.optionalUrl('URL'),
        servers: read.urls('SERVERS', 'http://default'),
        others: read.urls('OTHERS', 'http://default'),
        listen: read.listen('LISTEN', '127.0.0.1:1'),
        subject: read.json('SUBJECT', (value) => value, null),
        secrets: read.family('SECRET_'),
        note: read.optionalText('NAME'),
      })),
    ).toEqual({
      name: 'a',
      port: 80,
      on: true,
      off: false,
      mode: 'slow',
      url: 'https://a.example/base',
      proxy: 'https://a.example/base',
      servers: ['http://a:1', 'https://b/base'],
      others: ['http://default'],
      listen: { host: '::1', port: 4100 },
      subject: { team: 'a' },
      secrets: { A: 'x', B: 'y' },
      note: 'a',
    });
  });

  it('takes the default of what is unset or empty', () => {
    expect(
      readEnv({ NAME: '' }, (read) => [
        read.text('NAME', 'b'),
        read.integer('PORT', { ...PORT, fallback: 7 }),
        read.flag('ON', true),
        read.oneOf('MODE', ['fast', 'slow'], 'slow'),
        read.url('URL', 'http://x'),
        read.optionalUrl('URL'),
        read.optionalText('NAME'),
        read.listen('LISTEN', ':1'),
        read.json<number>('JSON', Number, 5),
      ]),
    ).toEqual(['b', 7, true, 'slow', 'http://x', null, null, { host: '::', port: 1 }, 5]);
  });

  it('names every fault at once and quotes no value', () => {
    const env = {
      PORT: 'canary-1',
      ON: 'canary-2',
      MODE: 'canary-3',
      URL: 'ftp://canary-4',
      LISTEN: 'canary-5',
      J: 'canary-6',
    };
    const faults = faultsOf(env, (read) => [
      read.text('NAME'),
      read.integer('PORT', PORT),
      read.flag('ON', false),
      read.oneOf('MODE', ['fast', 'slow']),
      read.url('URL'),
      read.listen('LISTEN', ':1'),
      read.json('J', (value) => value, null),
    ]);
    expect(faults).toEqual([
      { name: 'NAME', message: 'is not set; a text is required' },
      { name: 'PORT', message: 'must be a whole number from 1 to 65535' },
      { name: 'ON', message: 'must be true or false' },
      { name: 'MODE', message: 'must be one of fast, slow' },
      { name: 'URL', message: 'must be an http or https URL' },
      { name: 'LISTEN', message: 'must be host:port' },
      { name: 'J', message: 'must be JSON' },
    ]);
    expect(new ConfigFault(faults).message).not.toContain('canary');
  });

  it("says what a structure's own check found", () => {
    const check = (): never => {
      throw new Error('team is missing');
    };
    expect(faultsOf({ J: '{}' }, (read) => read.json('J', check, null))).toEqual([
      { name: 'J', message: 'team is missing' },
    ]);
  });

  it.each(['1.5', '1e3', ' 1', '0x10', '-1', '65536', '99999999999999999'])('refuses %j as a port', (text) => {
    expect(faultsOf({ PORT: text }, (read) => read.integer('PORT', PORT))).toHaveLength(1);
  });

  it('refuses a default that is no address, and a choice of nothing', () => {
    expect(() => readEnv({}, (read) => read.listen('L', 'nowhere'))).toThrow('no address');
    expect(() => readEnv({}, (read) => read.oneOf('M', []))).toThrow('no choices');
  });

  it('reads back every whole number it prints', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const range = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
        expect(readEnv({ N: String(value) }, (read) => read.integer('N', range))).toBe(value);
      }),
    );
  });

  it('knows the words for yes and no only', () => {
    expect([' TRUE ', 'on', '1', 'No', 'off', '2', ''].map(parseFlag)).toEqual([
      true,
      true,
      true,
      false,
      false,
      null,
      null,
    ]);
  });
});
