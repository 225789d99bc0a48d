/** Addresses of KServe's own LLMInferenceServices, where it is installed: read, never written. */
import type { Logger, Timers } from '@tollgate/runtime';
import { KSERVE_SERVICES } from '../../kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { identityOf, type KubeKind, type KubeObject } from '../../kube/kube-object.ts';
import type { Reflector } from '../../kube/reflector.ts';
import type { KServeAddress } from '../../programming/inference-targets.ts';
import { statusFields, type StoredObject } from '../stored-status.ts';

export interface KServeServices {
  addresses(): readonly KServeAddress[];
  /** Resolves when it is known whether KServe is there and, if so, what it has. */
  readonly ready: Promise<unknown>;
  stop(): Promise<void>;
}

export interface KServeServicesDeps {
  readonly api: Pick<KubeApi, 'serves'>;
  readonly reflect: (kind: KubeKind, transform: (object: KubeObject) => KubeObject) => Reflector<KubeObject>;
  readonly onChange: () => void;
  readonly timers: Timers;
  readonly log: Logger;
}

/** It may be installed, upgraded or taken away at any time. */
const RECHECK_MS = 300_000;
const RETRY_MS = 5_000;

export const startKServeServices = (deps: KServeServicesDeps): KServeServices => {
  const { api, reflect, onChange, timers, log } = deps;
  const ready = Promise.withResolvers<null>();
  let reflector: Reflector<KubeObject> | null = null;
  let kind: KubeKind | null = null;
  let isStopped = false;
  let cancel: () => void = () => undefined;
  let checking: Promise<void> = Promise.resolve();

  const newestServed = async (): Promise<KubeKind | null> => {
    for (const candidate of KSERVE_SERVICES) if (await api.serves(candidate)) return candidate;
    return null;
  };
  const check = async (): Promise<void> => {
    const served = await newestServed();
    if (isStopped || served === kind) return;
    log.info({ kind: 'LLMInferenceService', version: served?.version ?? 'none' }, 'KServe was looked for');
    await reflector?.stop();
    kind = served;
    reflector = served === null ? null : reflect(served, toAddress);
    reflector?.cache.onChange(onChange);
    reflector?.start();
    await reflector?.synced;
    onChange();
  };
  const run = (): void => {
    checking = check().then(
      () => {
        ready.resolve(null);
        if (!isStopped) cancel = timers.after(RECHECK_MS, run);
      },
      (err: unknown) => {
        if (isStopped) return;
        log.warn({ err, retryInMs: RETRY_MS }, 'whether KServe is installed cannot be read');
        cancel = timers.after(RETRY_MS, run);
      },
    );
  };

  run();
  return {
    addresses: () =>
      (reflector?.cache.list() ?? []).map((service) => ({
        namespace: service.metadata.namespace ?? '',
        name: service.metadata.name,
        url: urlIn(service),
      })),
    ready: ready.promise,
    stop: async () => {
      isStopped = true;
      cancel();
      await reflector?.stop();
      await checking;
    },
  };
};

/** Its specs are large, and only the address is wanted. */
const toAddress = (object: StoredObject): KubeObject => {
  const url = addressOf(object);
  return {
    metadata: identityOf(object.metadata),
    ...(url === null ? {} : { status: { url } }),
  };
};

/** From the status alone: KServe's names and ports depend on how it was set up. */
const addressOf = (object: StoredObject): string | null => {
  const { url, address, addresses } = statusFields(object);
  const candidates = [...(Array.isArray(addresses) ? (addresses as readonly unknown[]) : []), address].map((entry) =>
    typeof entry === 'object' && entry !== null && 'url' in entry ? entry.url : undefined,
  );
  return (
    [...candidates, url].find((each): each is string => typeof each === 'string' && /^https?:\/\//.test(each)) ?? null
  );
};

const urlIn = (service: StoredObject): string | null => {
  const { url } = statusFields(service);
  return typeof url === 'string' ? url : null;
};
