/**
 * Keeps the webhook's certificates fresh, for as long as this process leads. It belongs to the operator: whoever may write
 * a webhook configuration could have every object of the cluster sent to itself, and the injector, which reads what
 * strangers send, should not be that one. So it needs no lease of its own either.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict } from '../../kube/kube-fault.ts';
import { pauseWith } from '../../kube/pause.ts';
import type { CertificateMaker, KeyPair } from './certificate-maker.ts';
import { parseBundle } from './certificate-facts.ts';
import {
  publishBundle,
  readCertificates,
  writeAuthorities,
  writeLeaf,
  type CertificateNames,
  type StoredCertificates,
} from './certificate-store.ts';
import { planRotation, type RotationRules, type RotationStep } from './plan-rotation.ts';

export interface CertificateRotatorDeps extends RotationRules {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace' | 'apply'>;
  readonly maker: CertificateMaker;
  readonly secrets: CertificateNames;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

export interface CertificateRotator {
  /** Resolves when `signal` is aborted. Never rejects: what fails is logged and tried again. */
  run(signal: AbortSignal): Promise<void>;
  /** One step; what it was. For tests, and for the loop above. */
  step(): Promise<RotationStep>;
}

const RETRY_MS = 5_000;
/** Between steps: if somebody undoes each, they must not become a flood. */
const BREATH_MS = 250;

export const makeCertificateRotator = (deps: CertificateRotatorDeps): CertificateRotator => {
  const { api, secrets, clock, timers, log } = deps;

  const step = async (): Promise<RotationStep> => {
    const stored = await readCertificates(api, secrets);
    const planned = planRotation(clock(), stored.facts, deps);
    if (planned.do !== 'wait') {
      await act(planned, stored, deps);
      log.info({ step: planned.do, name: secrets.configuration }, 'webhook certificates');
    }
    return planned;
  };

  /** How long until the next step is worth while. */
  const stepOrRetry = async (): Promise<number> => {
    try {
      const done = await step();
      return done.do === 'wait' ? Math.max(BREATH_MS, done.untilMs - clock()) : BREATH_MS;
    } catch (err) {
      // Another rotator wrote first: what it wrote is read next.
      if (isConflict(err)) return BREATH_MS;
      log.error({ err, retryInMs: RETRY_MS }, 'webhook certificates cannot be kept up');
      return RETRY_MS;
    }
  };

  return {
    step,
    run: async (signal) => {
      const pause = pauseWith(timers);
      while (!signal.aborted) await pause(await stepOrRetry(), signal).catch(() => undefined);
    },
  };
};

const act = async (
  step: Exclude<RotationStep, { do: 'wait' }>,
  { authorities, facts, authoritySecret, tlsSecret, configuration }: StoredCertificates,
  { api, maker, secrets, names, clock }: CertificateRotatorDeps,
): Promise<void> => {
  switch (step.do) {
    case 'stage': {
      const { former } = step;
      const next = await maker.makeAuthority();
      await writeAuthorities(api, secrets, authoritySecret, { ...authorities, next, former, nextPublishedAt: null });
      return;
    }
    case 'publish':
      if (configuration !== null) await publishBundle(api, configuration, step.bundle);
      return;
    case 'note-published':
      await writeAuthorities(api, secrets, authoritySecret, { ...authorities, nextPublishedAt: clock() });
      return;
    case 'swap':
      await writeAuthorities(api, secrets, authoritySecret, {
        current: authorities.next,
        next: null,
        former: [...(facts.authority === null ? [] : [facts.authority]), ...facts.former],
        nextPublishedAt: null,
        swappedAt: clock(),
      });
      return;
    case 'issue-leaf': {
      const authority = signer(authorities.current);
      const leaf = await maker.makeLeaf(authority, names);
      await writeLeaf(api, secrets, tlsSecret, leaf, authority.cert);
      return;
    }
    case 'retire':
      await writeAuthorities(api, secrets, authoritySecret, { ...authorities, former: [] });
      return;
    default:
      step satisfies never;
  }
};

const signer = (authority: KeyPair | null): KeyPair => {
  if (authority === null || parseBundle(authority.cert) === null) throw new Error('no authority to sign with');
  return authority;
};
