/** A kubeconfig with everything inside it, as JSON: JSON is YAML too. */
import type { KeyAndCertificate } from './certificates.ts';

export interface KubeconfigParts {
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly identity: KeyAndCertificate;
}

export const renderKubeconfig = ({ server, caPem, user, identity }: KubeconfigParts): string =>
  `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'tollgate', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
      users: [
        {
          name: user,
          user: {
            'client-certificate-data': base64(identity.certPem),
            'client-key-data': base64(identity.keyPem),
          },
        },
      ],
      contexts: [{ name: 'tollgate', context: { cluster: 'tollgate', user } }],
      'current-context': 'tollgate',
    },
    null,
    2,
  )}\n`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
