/**
 * What this replica serves: the certificate that is written down, looked at again every few seconds. A rotation leaves old
 * and new side by side for minutes, so asking is as good as watching, and asking for one Secret by name is all it may do.
 */
import type { Logger, ProbeAnswer, Timers } from '@tollgate/runtime';
import type { KubeApi } from '../../kube/kube-api.ts';
import { pauseWith } from '../../kube/pause.ts';
import { SECRETS } from '../../kinds.ts';
import type { KeyPair } from './certificate-maker.ts';
import { isIssuedBy, isValidAt, parsePair, type CertificateFacts } from './certificate-facts.ts';
import {
  decoded,
  publishedBundles,
  WEBHOOK_CONFIGURATIONS,
  type CertificateNames,
  type Secret,
  type WebhookConfiguration,
} from './certificate-store.ts';

export interface ServingCertificate {
  /** Looks once: true where something is served. */
  look(): Promise<boolean>;
  /** Looks again and again. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Would the API server take what is served? */
  ready(): ProbeAnswer;
  /** Milliseconds since 1970; null while nothing is served. */
  expiresAt(): number | null;
}

export interface ServingCertificateDeps {
  readonly api: Pick<KubeApi, 'get'>;
  readonly names: Omit<CertificateNames, 'authoritySecret'>;
  /** Called with each new certificate, first of all with the first. */
  readonly serve: (pair: KeyPair) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Soon while a pod waits to become ready, seldom after. */
const UNREADY_MS = 1_000;
const READY_MS = 10_000;

export const makeServingCertificate = (deps: ServingCertificateDeps): ServingCertificate => {
  const { api, names, serve, clock, timers, log } = deps;
  let served: CertificateFacts | null = null;
  /** What the webhooks trust, as last read. An API server that is away changes nothing about it. */
  let trusted: readonly (readonly CertificateFacts[])[] | null = null;

  const look = async (): Promise<boolean> => {
    const [secret, configuration] = await Promise.all([
      api.get<Secret>(SECRETS, { namespace: names.namespace, name: names.tlsSecret }),
      api.get<WebhookConfiguration>(WEBHOOK_CONFIGURATIONS, { name: names.configuration }),
    ]);
    trusted = configuration === null ? null : publishedBundles(configuration);
    const data = decoded(secret);
    const [cert, key] = [data['tls.crt'], data['tls.key']];
    const facts = parsePair(cert, key);
    // A Secret that is gone or broken is no reason to stop serving what still is good.
    if (facts === null || cert === undefined || key === undefined) return served !== null;
    if (facts.fingerprint !== served?.fingerprint) {
      serve({ cert, key });
      served = facts;
      log.info({ name: names.tlsSecret, resetMs: facts.notAfter - clock() }, 'serving a certificate');
    }
    return true;
  };

  const ready = (): ProbeAnswer => {
    const no = (reason: string): ProbeAnswer => ({ ok: false, reason });
    const leaf = served;
    if (leaf === null) return no(`there is no certificate in Secret ${names.tlsSecret} yet`);
    if (!isValidAt(leaf, clock())) return no('the certificate is not valid now');
    if (trusted === null) return no(`MutatingWebhookConfiguration ${names.configuration} is not there`);
    const isTrusted = (bundle: readonly CertificateFacts[]): boolean =>
      bundle.some((authority) => isValidAt(authority, clock()) && isIssuedBy(leaf, authority));
    return trusted.every(isTrusted) ? { ok: true } : no('the published bundle does not vouch for the certificate yet');
  };

  return {
    look,
    ready,
    expiresAt: () => served?.notAfter ?? null,
    run: async (signal) => {
      const pause = pauseWith(timers);
      while (!signal.aborted) {
        await look().catch((err: unknown) => log.warn({ err }, 'the certificate cannot be looked at'));
        await pause(ready().ok ? READY_MS : UNREADY_MS, signal).catch(() => undefined);
      }
    },
  };
};
