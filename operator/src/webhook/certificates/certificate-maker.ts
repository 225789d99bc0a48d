/** Makes an authority and the certificates that it signs: ECDSA P-256, as PEM. */
// The X.509 library's own dependency asks for it, before all else.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509';

export interface KeyPair {
  /** PEM. */
  readonly cert: string;
  /** PKCS#8, PEM. */
  readonly key: string;
}

export interface CertificateMaker {
  makeAuthority(): Promise<KeyPair>;
  /** @param names DNS names and addresses under which the server is reached */
  makeLeaf(authority: KeyPair, names: readonly string[]): Promise<KeyPair>;
}

export interface CertificateMakerDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly authorityDays: number;
  readonly leafDays: number;
}

const DAY_MS = 86_400_000;
/** An API server's clock may be behind ours. */
const BACKDATED_MS = 300_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export const makeCertificateMaker = ({ clock, authorityDays, leafDays }: CertificateMakerDeps): CertificateMaker => {
  const validFor = (days: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
    notBefore: new Date(clock() - BACKDATED_MS),
    notAfter: new Date(clock() + days * DAY_MS),
  });

  return {
    makeAuthority: async () => {
      const keys = await newKeys();
      // The moment in the name tells two authorities apart in logs; the key identifier does so for machines.
      const made = await X509CertificateGenerator.createSelfSigned({
        serialNumber: serialNumber(),
        name: `CN=tollgate-webhook-ca-${String(Math.floor(clock() / 1000))}`,
        ...validFor(authorityDays),
        signingAlgorithm: ALGORITHM,
        keys,
        extensions: [
          new BasicConstraintsExtension(true, 0, true),
          new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
          await SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return { cert: made.toString('pem'), key: await pemOf(keys.privateKey) };
    },
    makeLeaf: async (authority, names) => {
      const issuer = new X509Certificate(authority.cert);
      const keys = await newKeys();
      const made = await X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: 'CN=tollgate-injector',
        issuer: issuer.subject,
        ...validFor(leafDays),
        signingAlgorithm: ALGORITHM,
        publicKey: keys.publicKey,
        signingKey: await privateKeyOf(authority.key),
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
          namesExtension(names),
          await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      });
      return { cert: made.toString('pem'), key: await pemOf(keys.privateKey) };
    },
  };
};

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey({ name: ALGORITHM.name, namedCurve: ALGORITHM.namedCurve }, true, ['sign', 'verify']);

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag);

const privateKeyOf = (pem: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(pem),
    { name: ALGORITHM.name, namedCurve: ALGORITHM.namedCurve },
    false,
    ['sign'],
  );

const namesExtension = (names: readonly string[]): Extension =>
  new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })));

/** 16 random bytes; the first bit is 0, since the number is signed, and the second 1, so that none leads with zeros. */
const serialNumber = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
};
