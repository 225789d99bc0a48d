/** Values that are wrong are refused before anything is installed, by name and with what is wanted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CHART, render, renderText, type Rendering } from './testing/helm.ts';

const complaint = async (rendering: Rendering): Promise<string> =>
  renderText(rendering).then(
    () => 'nothing',
    (error: unknown) => String(error),
  );

describe('the schema of the values', () => {
  it.each<readonly [string, object, string]>([
    ['a value that there is not', { servr: {} }, "additional properties 'servr' not allowed"],
    ['one in the depth', { server: { replica: 3 } }, "'/server': additional properties 'replica' not allowed"],
    ['a text for a number', { server: { replicas: 'two' } }, "'/server/replicas': got string, want integer"],
    [
      'a number for a text',
      { server: { podLabels: { tier: 1 } } },
      "'/server/podLabels/tier': got number, want string",
    ],
    [
      'a word that means nothing',
      { injection: { mode: 'auto' } },
      "'/injection/mode': value must be one of 'webhook', 'policy'",
    ],
    [
      'a failure policy in small letters',
      { injection: { failurePolicy: 'fail' } },
      "value must be one of 'Fail', 'Ignore'",
    ],
    [
      'a timeout beyond what the API server waits',
      { injection: { timeoutSeconds: 31 } },
      "'/injection/timeoutSeconds': maximum: got 31, want 30",
    ],
    [
      'a digest that is none',
      { images: { proxy: { digest: 'latest' } } },
      "'/images/proxy/digest': 'latest' does not match pattern",
    ],
    [
      'a database of another kind',
      { database: { url: 'mysql://db' } },
      "'/database/url': 'mysql://db' does not match pattern",
    ],
    ['a Redis without a scheme', { redis: { url: 'redis:6379' } }, "'/redis/url': 'redis:6379' does not match pattern"],
    [
      'a quantity with a word',
      { server: { resources: { limits: { memory: '1 GB' } } } },
      "'/server/resources/limits/memory'",
    ],
    [
      'a provider that is not metered',
      { injection: { settings: { providers: ['mistral'] } } },
      "'/injection/settings/providers/0': value must be one of",
    ],
    [
      'a port that needs root',
      { injection: { settings: { port: 80 } } },
      "'/injection/settings/port': minimum: got 80, want 1,024",
    ],
    [
      'a setting of the proxy that is none',
      { injection: { settings: { proxyEnv: { HOME: '/' } } } },
      "'/injection/settings/proxyEnv': additional properties 'HOME' not allowed",
    ],
    ['a host with a path', { policies: { allowedHosts: ['api.example/v1'] } }, "'/policies/allowedHosts/0'"],
    ['a Secret by a wrong name', { gateway: { credentialSecrets: ['Open_AI'] } }, "'/gateway/credentialSecrets/0'"],
  ])('refuses %s', async (_what, values, message) => {
    expect(await complaint({ values })).toContain(message);
  });

  it('says all that is wrong at once', async () => {
    const said = await complaint({ values: { server: { replicas: -1 }, logLevel: 'loud' } });
    expect(said).toContain("'/server/replicas'");
    expect(said).toContain("'/logLevel'");
  });

  it('lets another chart take this one in', async () => {
    expect(await complaint({ values: { global: { anything: 1 }, enabled: true } })).toBe('nothing');
  });

  it('knows every value that values.yaml has, and no other', () => {
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
    const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
    expect(namedBySchema(schema, schema).toSorted()).toEqual(
      [...namedByValues(schema, schema, values), 'enabled', 'global'].toSorted(),
    );
  });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON Schema
type Schema = any;

const resolved = (root: Schema, schema: Schema): Schema =>
  typeof schema.$ref === 'string' ? root.definitions[schema.$ref.split('/').at(-1)] : schema;

/** What is below `definitions` are Kubernetes' own shapes, and no values of the chart's. */
const namedBySchema = (root: Schema, schema: Schema, prefix = ''): readonly string[] =>
  Object.entries<Schema>(schema.properties ?? {}).flatMap(([name, member]) => {
    const inner = member.$ref === undefined ? namedBySchema(root, member, `${prefix}${name}.`) : [];
    return inner.length === 0 || prefix + name === 'webhook.certManager.issuerRef' ? [prefix + name] : inner;
  });

const namedByValues = (root: Schema, schema: Schema, values: object, prefix = ''): readonly string[] =>
  Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
    const member = schema.properties?.[name];
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
    const isPart = isMap && member?.$ref === undefined && resolved(root, member ?? {}).properties !== undefined;
    return isPart ? namedByValues(root, member, value, `${prefix}${name}.`) : [prefix + name];
  });

describe('values that contradict each other', () => {
  it.each<readonly [string, object, string]>([
    [
      'two places of the database',
      { database: { url: 'postgres://a@b/c', existingSecret: 'x' } },
      'database.url and database.existingSecret: set one of them',
    ],
    [
      'two places of Redis',
      { redis: { url: 'redis://a', existingSecret: 'x' } },
      'redis.url and redis.existingSecret: set one of them',
    ],
    [
      'a Redis that is off and named',
      { redis: { enabled: false, url: 'redis://a' } },
      'redis.enabled is false, but a Redis is named',
    ],
    [
      'two sources of the certificate',
      { webhook: { existingSecret: 'x', certManager: { enabled: true } } },
      'webhook.existingSecret and webhook.certManager.enabled: set one of them',
    ],
    [
      'a certificate without its authority',
      { webhook: { existingSecret: 'x' } },
      'webhook.existingSecret and webhook.caBundle: neither is of use without the other',
    ],
    [
      'one port for two things',
      { injection: { settings: { adminPort: 4100 } } },
      'injection.settings.port and injection.settings.adminPort: must differ',
    ],
    [
      "the injector's two ports on one",
      { webhook: { port: 4190 } },
      "webhook.port: 4190 is the injector's own port for probes and metrics",
    ],
    [
      'at most less than at least',
      { gateway: { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } } },
      'gateway.autoscaling.maxReplicas: must be at least minReplicas',
    ],
    [
      'a demo where nothing is injected',
      { demo: { enabled: true, namespace: 'tollgate-system' } },
      'demo.namespace: nothing is injected in namespace tollgate-system',
    ],
  ])('%s', async (_what, values, message) => {
    expect(await complaint({ values })).toContain(message);
  });

  it('are all told', async () => {
    const said = await complaint({
      values: {
        database: { url: 'postgres://a@b/c', existingSecret: 'x' },
        redis: { enabled: false, url: 'redis://a' },
      },
    });
    expect(said.match(/\n- /g)).toHaveLength(2);
  });
});

describe('a cluster that is too old', () => {
  it('for the chart', async () => {
    expect(await complaint({ kubeVersion: '1.29.0' })).toContain('chart requires kubeVersion: >=1.30.0-0');
  });

  it('for injection by policy', async () => {
    expect(await complaint({ kubeVersion: '1.33.0', values: { injection: { mode: 'policy' } } })).toContain(
      'injection.mode: policy needs Kubernetes 1.36, or 1.34 with the feature gate MutatingAdmissionPolicy; this is v1.33.0',
    );
  });

  it('but a version with a suffix is no old one', async () => {
    expect((await render({ kubeVersion: 'v1.34.4-eks-1a2b3c' })).length).toBeGreaterThan(0);
  });
});
