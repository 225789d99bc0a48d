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
      kubernetes: null,
      resourcesFrom: 'folder',
      operator: null,
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

  describe('in a cluster', () => {
    const CLUSTER = {
      DATABASE_URL: 'postgres://db/tollgate',
      TOLLGATE_RESOURCES_FROM: 'operator',
      TOLLGATE_OPERATOR_SERVICE_ACCOUNT: 'tollgate-system/tollgate-operator',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
    };

    it('are those of the pod, and need no token', () => {
      expect(readServerSettings(CLUSTER)).toMatchObject({
        resourcesFrom: 'operator',
        operator: { namespace: 'tollgate-system', name: 'tollgate-operator' },
        tokenFile: null,
        kubernetes: {
          url: 'https://10.96.0.1:443',
          tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
          caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
          ledgerAudience: 'tollgate',
          managementAudience: 'tollgate-management',
        },
      });
      expect(readServerSettings({ ...CLUSTER, KUBERNETES_SERVICE_HOST: 'fd00::1' }).kubernetes?.url).toBe(
        'https://[fd00::1]:443',
      );
    });

    it('may be stated, each of them', () => {
      expect(
        readServerSettings({
          ...CLUSTER,
          TOLLGATE_KUBERNETES_URL: 'https://127.0.0.1:6443',
          TOLLGATE_KUBERNETES_TOKEN_FILE: '/run/token',
          TOLLGATE_KUBERNETES_CA_FILE: '/run/ca',
          TOLLGATE_TOKEN_AUDIENCE: 'ledger',
        }).kubernetes,
      ).toEqual({
        url: 'https://127.0.0.1:6443',
        tokenFile: '/run/token',
        caFile: '/run/ca',
        ledgerAudience: 'ledger',
        managementAudience: 'tollgate-management',
      });
    });

    it('do not ask the API server of a cluster that they only happen to run in', () => {
      const { TOLLGATE_RESOURCES_FROM: _from, ...outside } = CLUSTER;
      expect(readServerSettings({ ...outside, TOLLGATE_TOKEN_FILE: '/run/token' })).toMatchObject({
        kubernetes: null,
        resourcesFrom: 'folder',
        operator: null,
      });
    });

    it('may take signed tokens instead, where the server is outside', () => {
      const { KUBERNETES_SERVICE_HOST: _host, ...outside } = CLUSTER;
      const signed = { TOLLGATE_TOKEN_KEYS: '/run/keys', TOLLGATE_TOKEN_ISSUER: 'https://issuer' };
      expect(readServerSettings({ ...outside, ...signed })).toMatchObject({ kubernetes: null, tokenFile: null });
    });

    it.each([
      ['no operator is named', { TOLLGATE_OPERATOR_SERVICE_ACCOUNT: '' }, /TOLLGATE_OPERATOR_SERVICE_ACCOUNT/],
      ['it has no namespace', { TOLLGATE_OPERATOR_SERVICE_ACCOUNT: 'operator' }, /<namespace>\/<name>/],
      ['there is no API server', { KUBERNETES_SERVICE_HOST: '' }, /TOLLGATE_KUBERNETES_URL/],
      ['tokens would go in the clear', { TOLLGATE_KUBERNETES_URL: 'http://10.96.0.1' }, /an https URL/],
      ['they come from elsewhere', { TOLLGATE_RESOURCES_FROM: 'git' }, /TOLLGATE_RESOURCES_FROM/],
    ])('say so where %s', (_what, part, message) => {
      expect(() => readServerSettings({ ...CLUSTER, ...part })).toThrow(message);
    });
  });

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
