/**
 * Where the webhook's certificates are written down: two Secrets, so that the injector, which must read what it serves,
 * never sees the key that signs; and the bundle in the webhook configuration, under a field manager of its own, so that
 * the chart and GitOps tools never fight over it.
 */
import type { KubeApi } from '../../kube/kube-api.ts';
import type { KubeKind, KubeMeta, KubeObject } from '../../kube/kube-object.ts';
import { SECRETS } from '../../kinds.ts';
import type { KeyPair } from './certificate-maker.ts';
import { bundleOf, parseBundle, parsePair, type CertificateFacts } from './certificate-facts.ts';
import type { RotationFacts } from './plan-rotation.ts';

export interface CertificateNames {
  readonly namespace: string;
  /** `ca.crt`, `tls.crt`, `tls.key`: what replicas serve, in the form that cert-manager writes too. */
  readonly tlsSecret: string;
  /** The authorities and their keys. */
  readonly authoritySecret: string;
  /** Of the MutatingWebhookConfiguration. */
  readonly configuration: string;
}

export interface Secret extends KubeObject {
  readonly type?: string;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string } }[];
}

export const WEBHOOK_CONFIGURATIONS: KubeKind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  namespaced: false,
};

export const CA_FIELD_MANAGER = 'tollgate-webhook-ca';

/** What the authority Secret holds, decoded; '' where it is not there. */
export interface Authorities {
  readonly current: KeyPair | null;
  readonly next: KeyPair | null;
  readonly former: readonly CertificateFacts[];
  readonly nextPublishedAt: number | null;
  readonly swappedAt: number | null;
}

export interface StoredCertificates {
  readonly authorities: Authorities;
  readonly facts: RotationFacts;
  /** As read: writing back fails where another rotator wrote meanwhile. */
  readonly authoritySecret: Secret | null;
  readonly tlsSecret: Secret | null;
  readonly configuration: WebhookConfiguration | null;
}

type StoreApi = Pick<KubeApi, 'get' | 'create' | 'replace' | 'apply'>;

export const readCertificates = async (
  api: Pick<KubeApi, 'get'>,
  { namespace, tlsSecret, authoritySecret, configuration }: CertificateNames,
): Promise<StoredCertificates> => {
  const [authority, tls, config] = await Promise.all([
    api.get<Secret>(SECRETS, { namespace, name: authoritySecret }),
    api.get<Secret>(SECRETS, { namespace, name: tlsSecret }),
    api.get<WebhookConfiguration>(WEBHOOK_CONFIGURATIONS, { name: configuration }),
  ]);
  const authorities = parseAuthorities(authority);
  const data = decoded(tls);
  return {
    authorities,
    facts: {
      authority: parsePair(authorities.current?.cert, authorities.current?.key),
      next: parsePair(authorities.next?.cert, authorities.next?.key),
      nextPublishedAt: authorities.nextPublishedAt,
      former: authorities.former,
      swappedAt: authorities.swappedAt,
      leaf: parsePair(data['tls.crt'], data['tls.key']),
      published: config === null ? null : publishedBundles(config),
    },
    authoritySecret: authority,
    tlsSecret: tls,
    configuration: config,
  };
};

/** By webhook. What cannot be read counts as nothing, and is published anew. */
export const publishedBundles = ({ webhooks = [] }: WebhookConfiguration): readonly (readonly CertificateFacts[])[] =>
  webhooks.map(({ clientConfig }) => parseBundle(fromBase64(clientConfig?.caBundle)) ?? []);

export const writeAuthorities = (
  api: StoreApi,
  names: CertificateNames,
  present: Secret | null,
  { current, next, former, nextPublishedAt, swappedAt }: Authorities,
): Promise<Secret> =>
  put(api, { namespace: names.namespace, name: names.authoritySecret }, 'Opaque', present, {
    ...(current === null ? {} : { 'ca.crt': current.cert, 'ca.key': current.key }),
    ...(next === null ? {} : { 'next.crt': next.cert, 'next.key': next.key }),
    ...(former.length === 0 ? {} : { 'former.crt': bundleOf(former) }),
    ...(nextPublishedAt === null ? {} : { 'next-published-at': moment(nextPublishedAt) }),
    ...(swappedAt === null ? {} : { 'swapped-at': moment(swappedAt) }),
  });

export const writeLeaf = (
  api: StoreApi,
  names: CertificateNames,
  present: Secret | null,
  leaf: KeyPair,
  authority: string,
): Promise<Secret> =>
  put(api, { namespace: names.namespace, name: names.tlsSecret }, 'kubernetes.io/tls', present, {
    'ca.crt': authority,
    'tls.crt': leaf.cert,
    'tls.key': leaf.key,
  });

/** Only the webhooks that are there: applying a name that is not would make half a webhook of it. */
export const publishBundle = async (
  api: StoreApi,
  { metadata, webhooks = [] }: WebhookConfiguration,
  bundle: readonly CertificateFacts[],
): Promise<void> => {
  const caBundle = Buffer.from(bundleOf(bundle)).toString('base64');
  await api.apply<WebhookConfiguration>(
    WEBHOOK_CONFIGURATIONS,
    {
      // With the uid, so that a configuration which was deleted meanwhile is not made anew.
      metadata: { name: metadata.name, ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) },
      webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
    },
    { fieldManager: CA_FIELD_MANAGER, force: true },
  );
};

const put = (
  api: StoreApi,
  name: Pick<KubeMeta, 'name' | 'namespace'>,
  type: string,
  present: Secret | null,
  texts: Readonly<Record<string, string>>,
): Promise<Secret> => {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  if (present === null) return api.create<Secret>(SECRETS, { metadata: { ...name, labels: LABELS }, type, data });
  return api.replace<Secret>(SECRETS, { ...present, data });
};

const LABELS = { 'app.kubernetes.io/name': 'tollgate', 'app.kubernetes.io/component': 'webhook-certificates' };

const parseAuthorities = (secret: Secret | null): Authorities => {
  const data = decoded(secret);
  const pair = (cert: string, key: string): KeyPair | null =>
    parsePair(data[cert], data[key]) === null ? null : { cert: data[cert] ?? '', key: data[key] ?? '' };
  return {
    current: pair('ca.crt', 'ca.key'),
    next: pair('next.crt', 'next.key'),
    former: parseBundle(data['former.crt'] ?? '') ?? [],
    nextPublishedAt: momentOf(data['next-published-at']),
    swappedAt: momentOf(data['swapped-at']),
  };
};

export const decoded = (secret: Secret | null): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, text]) => [key, fromBase64(text)]));

const fromBase64 = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');

const moment = (ms: number): string => new Date(ms).toISOString();

const momentOf = (text: string | undefined): number | null => {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : ms;
};
