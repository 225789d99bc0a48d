import { describe, expect, it } from '@jest/globals';
import { readServerSettings } from './settings.ts';

describe('settings of the server', () => {
  it('have defaults for all but the database and the token', () => {
    expect(readServerSettings({ DATABASE_URL: 'postgres://db/tollgate', TOLLGATE_TOKEN_FILE: '/run/token' })).toEqual({
      databaseUrl: 'postgres://db/tollgate',
      databaseConnections: 10,
      redisUrl: null,
      waitMs: 60_000,
      listen: { host: '127.0.0.1', port: 4180 },
      tokenFile: '/run/token',
      adminTokenFile: null,
      signed: null,
      systemNamespace: 'tollgate-system',
      graceMs: 25_000,
      logLevel: 'info',
    });
  });

  it('name every fault at once', () => {
    expect(() => readServerSettings({ TOLLGATE_LISTEN: 'x', TOLLGATE_DATABASE_CONNECTIONS: '0' })).toThrow(
      /DATABASE_URL[^]*TOLLGATE_DATABASE_CONNECTIONS[^]*TOLLGATE_LISTEN[^]*TOLLGATE_TOKEN_FILE/,
    );
  });

  it.each(['redis://h:6379', 'rediss://u:p@h:6379/2', 'unix:///run/redis.sock', 'redis://[::1]:6379'])(
    'take %s for a Redis',
    (url) => {
      const env = { DATABASE_URL: 'postgres://db/tollgate', TOLLGATE_TOKEN_FILE: '/run/token', REDIS_URL: url };
      expect(readServerSettings(env).redisUrl).toBe(url);
    },
  );

  it.each(['http://foo', '/run/redis.sock', 'localhost:6379', 'redis', 'redis://', 'unix://host/sock', 'unix:///'])(
    'refuse %s for a Redis',
    (url) => {
      const env = { DATABASE_URL: 'postgres://db/tollgate', TOLLGATE_TOKEN_FILE: '/run/token', REDIS_URL: url };
      expect(() => readServerSettings(env)).toThrow(/REDIS_URL: must be redis:/);
    },
  );

  it('need no shared token where signed ones are taken, but then their issuer', () => {
    const env = { DATABASE_URL: 'postgres://db/tollgate', TOLLGATE_TOKEN_KEYS: 'https://issuer/keys' };
    expect(readServerSettings({ ...env, TOLLGATE_TOKEN_ISSUER: 'https://issuer' })).toMatchObject({
      tokenFile: null,
      signed: {
        keys: 'https://issuer/keys',
        issuer: 'https://issuer',
        ledgerAudience: 'tollgate',
        managementAudience: 'tollgate-management',
      },
    });
    expect(() => readServerSettings(env)).toThrow(/TOLLGATE_TOKEN_ISSUER/);
  });
});
