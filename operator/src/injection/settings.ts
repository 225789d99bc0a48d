/**
 * How pods are injected: one file for the whole installation, rendered by the chart and read again when it changes. Pods
 * may change little of it, and never the image.
 */
import { z } from 'zod';
import { LOG_LEVELS } from '@tollgate/runtime';
import { PROVIDERS } from './facts.ts';
import { isAtLeast, isQuantity, quantityValue } from './quantity.ts';
import { LEAST } from './setting-meanings.ts';

const QUANTITY = 'must be a quantity as Kubernetes writes it, such as 20m, 0.5 or 96Mi';
const port = () => z.coerce.number<number | string>().int().min(1024).max(65_535);
const quantity = () => z.string().refine(isQuantity, { error: QUANTITY });
const limit = (setting: keyof typeof LEAST) =>
  quantity().refine((text) => isAtLeast(text, LEAST[setting]), {
    error: `must be ${LEAST[setting]} or more, which the proxy needs to start`,
  });
const namespace = () => z.string().min(1).max(63);

/** A registry path with a tag, a digest, or both. */
const IMAGE = /^[a-z0-9][\w.:/-]{0,254}(@sha256:[0-9a-f]{64})?$/;

/** What the injector says of each pod, or of the installation, by itself. */
const INJECTED: ReadonlySet<string> = new Set([
  'TOLLGATE_SERVER_URL',
  'TOLLGATE_TOKEN_FILE',
  'TOLLGATE_SPOOL_DIR',
  'TOLLGATE_LISTEN',
  'TOLLGATE_ADMIN_LISTEN',
  'TOLLGATE_LOG_LEVEL',
  'TOLLGATE_SUBJECT',
  'TOLLGATE_SECRETS_DIR',
]);

/** What a proxy keeps unless told otherwise: TOLLGATE_MAX_SPOOL_BYTES in docs/configuration.md. */
const SPOOL_BYTES = 268_435_456;

const ResourcesSchema = z
  .strictObject({
    cpuRequest: quantity().default('20m'),
    cpuLimit: limit('cpuLimit').nullable().default(null),
    memoryRequest: quantity().default('96Mi'),
    memoryLimit: limit('memoryLimit').default('256Mi'),
  })
  .prefault({});

const UpstreamsSchema = z
  .strictObject({
    openai: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    anthropic: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    gemini: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    azure: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
  })
  .prefault({});

export const InjectionSettingsSchema = z
  .strictObject({
    proxyImage: z
      .string()
      .regex(IMAGE, { error: 'must be an image, by digest where it can be: registry/tollgate-proxy@sha256:…' })
      .describe('Image of the proxy. No pod may choose another.'),
    imageMirrors: z
      .array(z.string().min(1).max(255))
      .max(16)
      .default([])
      .describe("Repositories to which another webhook may rewrite the proxy's image, without tag or digest."),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).nullable().default(null),
    serverUrl: z
      .string()
      .regex(/^https?:\/\/\S+$/, { error: 'must be one or more http or https URLs, separated by commas' })
      .describe('The ledger Service, as pods of any namespace reach it.'),
    port: port().default(4100).describe('Where applications find the proxy, on 127.0.0.1.'),
    adminPort: port().default(4190).describe('Probes and metrics of the proxy.'),
    adminHost: z.string().min(1).max(64).default('0.0.0.0').describe('Address of the admin port; :: in IPv6 clusters.'),
    resources: ResourcesSchema,
    logLevel: z.enum(LOG_LEVELS).default('info'),
    teamLabel: z.string().max(317).nullable().default(null).describe('Label of pods that names the team.'),
    systemNamespace: namespace().default('tollgate-system').describe("Tollgate's own namespace; never injected."),
    excludedNamespaces: z
      .array(namespace())
      .max(256)
      .default(['kube-system', 'kube-node-lease'])
      .describe('Namespaces where nothing is injected, whatever their labels say.'),
    providers: z
      .array(z.enum(PROVIDERS))
      .default([...PROVIDERS])
      .describe('Whose base URLs are set in applications.'),
    upstreams: UpstreamsSchema.describe("Where calls go instead of a provider's public address."),
    requireBudget: z.boolean().default(false).describe('Refuse calls that no TokenBudget matches.'),
    allowPrivateUpstreams: z
      .boolean()
      .default(false)
      .describe('Let proxies dial addresses of the cluster, as routes to Services and models in it need.'),
    tokenSeconds: z.int().min(600).max(86_400).default(3_600).describe("Life of the proxy's token."),
    spoolSizeLimit: quantity()
      .default('320Mi')
      .describe('Of the emptyDir in which a proxy keeps what it must deliver.'),
    runAsUser: z.int().min(1).nullable().default(null).describe('User of the proxy; the one of its image if absent.'),
    proxyEnv: z
      .record(z.string().regex(/^TOLLGATE_[A-Z0-9_]+$/, { error: 'must start with TOLLGATE_' }), z.string().min(1))
      .default({})
      .describe('Further settings of the proxy.'),
  })
  .superRefine(({ proxyEnv, spoolSizeLimit }, context) => {
    for (const name of Object.keys(proxyEnv)) {
      if (INJECTED.has(name))
        context.addIssue({
          code: 'custom',
          path: ['proxyEnv', name],
          message: 'is set by the injector, and not from here',
        });
    }
    const spoolBytes = Number(proxyEnv['TOLLGATE_MAX_SPOOL_BYTES'] ?? SPOOL_BYTES);
    if ((quantityValue(spoolSizeLimit) ?? 0) < spoolBytes)
      context.addIssue({
        code: 'custom',
        path: ['spoolSizeLimit'],
        message: `must be ${String(spoolBytes)} bytes or more, which a proxy keeps in an outage (TOLLGATE_MAX_SPOOL_BYTES): of less the kubelet would evict the pod`,
      });
  });

export type InjectionSettingsFile = z.output<typeof InjectionSettingsSchema>;

export interface InjectionSettings extends InjectionSettingsFile {
  /** Of the product. */
  readonly version: string;
  /** Of everything here: pods with another one were injected under other settings. */
  readonly configHash: string;
}
