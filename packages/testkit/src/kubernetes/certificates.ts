/** The certificates of a test cluster, as files in one folder: an authority and what it signs. ECDSA P-256, made by openssl. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface KeyAndCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Kubernetes reads the user's name from CN and the groups from O. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly groups?: readonly string[];
}

export interface CertificateAuthority {
  readonly certPem: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Writes `<name>.crt` and `<name>.key`, good for a server under `hosts` (names and addresses) and for a client. */
  issue(name: string, subject: CertificateSubject, hosts?: readonly string[]): Promise<KeyAndCertificate>;
}

const run = promisify(execFile);
const LIFE_DAYS = '365';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Rejects without OpenSSL 3, whose `req` signs with an authority in one go. */
export const makeAuthority = async (folder: string, commonName: string): Promise<CertificateAuthority> => {
  const certFile = join(folder, 'ca.crt');
  const keyFile = join(folder, 'ca.key');
  await request(folder, 'ca', { commonName }, ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']);
  return {
    certPem: await readFile(certFile, 'utf8'),
    certFile,
    keyFile,
    issue: async (name, subject, hosts = []) => {
      const extensions = [
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        'extendedKeyUsage=serverAuth,clientAuth',
        ...(hosts.length === 0 ? [] : [`subjectAltName=${hosts.map(alternativeName).join(',')}`]),
      ];
      await request(folder, name, subject, extensions, ['-CA', certFile, '-CAkey', keyFile]);
      const [certPem, keyPem] = await Promise.all([
        readFile(join(folder, `${name}.crt`), 'utf8'),
        readFile(join(folder, `${name}.key`), 'utf8'),
      ]);
      return { certPem, keyPem };
    },
  };
};

export interface TokenKeyFiles {
  /** Signs the tokens of ServiceAccounts. */
  readonly signing: string;
  readonly checking: string;
}

export const writeTokenKeys = async (folder: string): Promise<TokenKeyFiles> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signing = join(folder, 'service-accounts.key');
  const checking = join(folder, 'service-accounts.pub');
  await writeFile(signing, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(checking, publicKey.export({ type: 'spki', format: 'pem' }));
  return { signing, checking };
};

const request = async (
  folder: string,
  name: string,
  subject: CertificateSubject,
  extensions: readonly string[],
  signer: readonly string[] = [],
): Promise<void> => {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const args = ['req', '-x509', ...NEW_KEY, ...files, '-days', LIFE_DAYS, '-subj', subjectText(subject), ...added];
  await run('openssl', [...args, ...signer]).catch((cause: unknown) => {
    throw new Error(`openssl (3.0 or later is needed) made no certificate ${name}`, { cause });
  });
};

const subjectText = ({ commonName, groups = [] }: CertificateSubject): string =>
  [...groups.map((group) => `/O=${escapeSlash(group)}`), `/CN=${escapeSlash(commonName)}`].join('');

/** A slash begins the next part of a subject. */
const escapeSlash = (text: string): string => text.replaceAll('/', '\\/');

const alternativeName = (host: string): string => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`;
