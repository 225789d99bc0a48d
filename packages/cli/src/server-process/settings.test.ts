import { describe, expect, it } from '@jest/globals';
import { readServerSettings } from './settings.ts';

describe('settings of the server', () => {
  it('have defaults for all but the database and the token', () => {
    expect(readServerSettings({ DATABASE_URL: 'postgres://db/tollgate', TOLLGATE_TOKEN_FILE: '/run/token' })).toEqual({
      databaseUrl: 'postgres://db/tollgate',
      databaseConnections: 10,
      redisUrl: null,
      listen: { host: '127.0.0.1', port: 4180 },
      tokenFile: '/run/token',
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
});
