import { describe, expect, it } from '@jest/globals';
import { readEnv } from '@tollgate/runtime';
import { readOperatorConfig } from './config.ts';

describe('the settings of the operator', () => {
  it('need no more than the server', () => {
    expect(readEnv({ TOLLGATE_SERVER_URL: 'http://server:4180/' }, readOperatorConfig)).toMatchObject({
      serverUrl: 'http://server:4180',
      tokenFile: '/var/run/secrets/tollgate/token',
      serviceAccount: 'tollgate-system/tollgate-operator',
      admin: { host: '0.0.0.0', port: 4190 },
      lease: { name: 'tollgate-operator', holder: null, durationMs: 30_000, renewMs: 20_000, retryMs: 2_500 },
      statusIntervalMs: 2_000,
    });
  });

  it('name every fault at once', () => {
    const env = { TOLLGATE_LEASE_RETRY_MS: 'soon', TOLLGATE_WORKERS: '0' };
    expect(() => readEnv(env, readOperatorConfig)).toThrow(
      /TOLLGATE_SERVER_URL.*TOLLGATE_LEASE_RETRY_MS.*TOLLGATE_WORKERS/s,
    );
  });
});
