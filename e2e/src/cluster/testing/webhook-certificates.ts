/** The certificates of the webhook as its three sides have them: what is trusted, what is served, and what is written down. */
import { X509Certificate } from 'node:crypto';
import { getJson, kubectl } from './kubectl.ts';
import { RELEASE, SYSTEM } from './release.ts';

export const TLS_SECRET = `${RELEASE}-webhook-tls`;
export const AUTHORITY_SECRET = `${RELEASE}-webhook-ca`;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

interface Webhooks {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Fingerprints of the authorities that the API server is told to trust; rejects where one webhook trusts others than the next. */
export const trustedAuthorities = async (): Promise<readonly string[]> => {
  const { webhooks } = await getJson<Webhooks>('get', 'mutatingwebhookconfiguration', `${RELEASE}-injector`);
  const bundles = new Set(webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''));
  if (bundles.size !== 1) throw new Error(`the webhooks trust ${String(bundles.size)} different bundles`);
  const pem = Buffer.from([...bundles].join(''), 'base64').toString();
  return (pem.match(CERTIFICATE) ?? []).map((certificate) => new X509Certificate(certificate).fingerprint256);
};

/** In a pod, since nobody outside of the cluster need be able to reach one. */
const SHAKE_HANDS = `
const { connect } = require('node:tls');
for (const host of process.argv.slice(1)) {
  const socket = connect({ host, port: 10250, rejectUnauthorized: false }, () => {
    console.log(socket.getPeerCertificate().fingerprint256);
    socket.end();
  });
}`;

/** Fingerprint of what each injector that is ready serves. */
export const servedCertificates = async (): Promise<readonly string[]> => {
  const injectors = 'app.kubernetes.io/component=injector';
  const addresses = await kubectl(
    ['get', 'pods', '-n', SYSTEM, '-l', injectors, '-o', 'jsonpath={.items[*].status.podIP}'], // prettier-ignore
  );
  const server = ['exec', '-n', SYSTEM, `deployment/${RELEASE}-server`, '--'];
  const said = await kubectl([...server, 'node', '--eval', SHAKE_HANDS, ...addresses.trim().split(' ')]);
  return said.trim().split('\n');
};

export const deleteSecrets = async (...names: readonly string[]): Promise<void> => {
  await kubectl(['delete', 'secret', ...names, '-n', SYSTEM]);
};

const hasNoted = async (moment: string): Promise<boolean> => {
  const { data } = await getJson<{ readonly data: object }>('get', 'secret', AUTHORITY_SECRET, '-n', SYSTEM);
  return moment in data;
};

/** Has what the rotator has noted be so long ago that its next step is due, which would take it ten minutes. */
export const age = async (moment: 'next-published-at' | 'swapped-at'): Promise<void> => {
  if (!(await hasNoted(moment))) throw new Error(`Secret ${AUTHORITY_SECRET} has no ${moment} yet`);
  const stringData = { [moment]: new Date(Date.now() - LONG_MS).toISOString() };
  const patch = ['patch', 'secret', AUTHORITY_SECRET, '-n', SYSTEM, '--type=merge', '-p'];
  await kubectl([...patch, JSON.stringify({ stringData })]);
};

/** Longer than old and new authority stand side by side. */
const LONG_MS = 900_000;
