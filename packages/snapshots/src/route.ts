/** One ModelRoute as proxies read it: every backend an address and an API, durations in milliseconds, prices in nano-dollars. */
import type {
  LLMInferenceService,
  ModelRoute,
  ModelRouteBackend,
  ModelRouteRule,
  SnapshotBackend,
  SnapshotPriceOverride,
  SnapshotRoute,
  SnapshotRule,
} from '@tollgate/api';
import { priceProvider } from '@tollgate/prices/table';
import { nanoOrNull } from './budget.ts';
import { durationMs } from './duration.ts';

/** A rule whose backends all lack an address keeps its models and has no backends: its calls are refused, not sent elsewhere. */
export const compileRoute = (
  { metadata: { namespace, name }, spec }: ModelRoute,
  services: readonly LLMInferenceService[],
): SnapshotRoute => ({
  namespace,
  name,
  rules: spec.rules.map((rule) => compileRule(rule, (backend) => compileBackend(backend, { namespace, services }))),
});

const compileRule = (
  { name, models, backends, fallback, timeouts }: ModelRouteRule,
  compile: (backend: ModelRouteBackend) => SnapshotBackend | null,
): SnapshotRule => ({
  name,
  models: models ?? [],
  backends: backends
    .filter(({ weight }) => weight > 0)
    .map(compile)
    .filter((backend) => backend !== null)
    .sort((a, b) => a.priority - b.priority),
  fallback: fallback === undefined ? null : { when: fallback.when ?? [], maxAttempts: fallback.maxAttempts },
  timeouts: {
    requestMs: timeouts?.request === undefined ? null : durationMs(timeouts.request),
    firstByteMs: timeouts?.firstByte === undefined ? null : durationMs(timeouts.firstByte),
  },
});

interface Surroundings {
  readonly namespace: string;
  readonly services: readonly LLMInferenceService[];
}

type Target = Pick<SnapshotBackend, 'provider' | 'baseUrl' | 'credential' | 'price'>;

const compileBackend = (backend: ModelRouteBackend, surroundings: Surroundings): SnapshotBackend | null => {
  const target = targetOf(backend, surroundings);
  if (target === null) return null;
  return {
    name: backend.name,
    ...target,
    model: backend.model ?? null,
    weight: backend.weight,
    priority: backend.priority,
    price: priceOf(backend) ?? target.price,
    priceProvider: priceProvider(target.provider, target.baseUrl),
  };
};

/** Null where an inference service has no address yet: it is taken from its status, never guessed. */
const targetOf = (
  { provider, serviceRef, inferenceServiceRef }: ModelRouteBackend,
  { namespace, services }: Surroundings,
): Target | null => {
  if (provider !== undefined) {
    const { type, baseUrl = null, credentialsSecretRef = null } = provider;
    return { provider: type, baseUrl, credential: credentialsSecretRef, price: null };
  }
  if (serviceRef !== undefined) return inCluster(`http://${serviceRef.name}.${namespace}.svc:${serviceRef.port}`, null);
  const service = services.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === inferenceServiceRef?.name,
  );
  const url = service?.status?.url ?? service?.status?.addresses?.find((address) => address.url !== undefined)?.url;
  if (service === undefined || url === undefined || inferenceServiceRef?.group !== 'tollgate.dev') return null;
  return inCluster(url, pricingOf(service));
};

/** Servers of models speak OpenAI's API, below /v1. */
const inCluster = (url: string, price: SnapshotPriceOverride | null): Target => ({
  provider: 'OpenAICompatible',
  baseUrl: /\/v1\/?$/.test(url) ? url : `${url.replace(/\/$/, '')}/v1`,
  credential: null,
  price,
});

const priceOf = ({ price }: ModelRouteBackend): SnapshotPriceOverride | null =>
  price === undefined
    ? null
    : {
        free: price.free ?? false,
        inputPerMillion: nanoOrNull(price.inputPerMillion),
        cachedInputPerMillion: nanoOrNull(price.cachedInputPerMillion),
        cacheWritePerMillion: nanoOrNull(price.cacheWritePerMillion),
        outputPerMillion: nanoOrNull(price.outputPerMillion),
      };

const pricingOf = ({ spec: { pricing } }: LLMInferenceService): SnapshotPriceOverride | null =>
  pricing === undefined
    ? null
    : {
        free: false,
        inputPerMillion: nanoOrNull(pricing.inputPerMillion),
        cachedInputPerMillion: null,
        cacheWritePerMillion: null,
        outputPerMillion: nanoOrNull(pricing.outputPerMillion),
      };
