/** Whom the proxy trusts over TLS: Node's `ca` option replaces the built-in authorities, so they are named with the extra one. */
import { getCACertificates } from 'node:tls';

/** PEM texts; the defaults hold what NODE_EXTRA_CA_CERTS adds, too. */
export const authoritiesWith = (extra: string): readonly string[] => [...getCACertificates('default'), extra];
