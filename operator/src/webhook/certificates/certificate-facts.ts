/** What a certificate says, as far as rotating and trusting go by it. Pure. */
import { X509Certificate, createPrivateKey } from 'node:crypto';

export interface CertificateFacts {
  /** Of the whole certificate: tells two apart. */
  readonly fingerprint: string;
  readonly pem: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DNS names and addresses, sorted. */
  readonly names: readonly string[];
}

/** All certificates of a PEM text, in order. Null where any of it is no certificate. */
export const parseBundle = (pem: string): readonly CertificateFacts[] | null => {
  const blocks = pem.match(BLOCK) ?? [];
  const parsed = blocks.map(parseOne);
  const known = parsed.filter((facts) => facts !== null);
  return known.length === parsed.length ? known : null;
};

/** The first certificate of the text. Null where there is none, or its key is not this one. */
export const parsePair = (cert: string | undefined, key: string | undefined): CertificateFacts | null => {
  const [block] = cert?.match(BLOCK) ?? [];
  if (block === undefined || key === undefined) return null;
  try {
    return new X509Certificate(block).checkPrivateKey(createPrivateKey(key)) ? parseOne(block) : null;
  } catch {
    return null;
  }
};

/** Signed by it, whenever that was. */
export const isIssuedBy = (leaf: CertificateFacts, authority: CertificateFacts): boolean => {
  const [child, parent] = [new X509Certificate(leaf.pem), new X509Certificate(authority.pem)];
  return parent.ca && child.checkIssued(parent) && child.verify(parent.publicKey);
};

export const isValidAt = (facts: CertificateFacts, now: number): boolean =>
  facts.notBefore <= now && now < facts.notAfter;

/** From when on it is to be replaced: two thirds of its life. */
export const renewalOf = ({ notBefore, notAfter }: CertificateFacts): number =>
  notBefore + ((notAfter - notBefore) * 2) / 3;

export const bundleOf = (authorities: readonly CertificateFacts[]): string =>
  authorities.map(({ pem }) => pem).join('');

const BLOCK = /-----BEGIN CERTIFICATE-----[\w+/=\s]{1,65536}-----END CERTIFICATE-----/g;

const parseOne = (block: string): CertificateFacts | null => {
  try {
    const parsed = new X509Certificate(block);
    return {
      fingerprint: parsed.fingerprint256,
      pem: parsed.toString(),
      notBefore: Date.parse(parsed.validFrom),
      notAfter: Date.parse(parsed.validTo),
      names: (parsed.subjectAltName ?? '')
        .split(', ')
        .flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? [])
        .sort(),
    };
  } catch {
    return null;
  }
};
