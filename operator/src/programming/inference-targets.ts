/**
 * Where a route names a model that is served in the cluster: a group of services that share their calls by weight becomes
 * one backend a member, and a service of KServe becomes the address that it gives of itself.
 */
import type { LLMInferenceService, ModelRoute, ModelRouteBackend, ModelRouteRule } from '@tollgate/api';
import { routingGroup } from './routing-group.ts';

export interface KServeAddress {
  readonly namespace: string;
  readonly name: string;
  /** Null: it has none yet. */
  readonly url: string | null;
}

export interface InferenceTargets {
  readonly services: readonly LLMInferenceService[];
  readonly kserve: readonly KServeAddress[];
}

/** The most that one rule may hold, and the largest weight. */
const MAX_BACKENDS = 16;
const MAX_WEIGHT = 1_000_000;

export const withInferenceTargets = (route: ModelRoute, targets: InferenceTargets): ModelRoute => ({
  ...route,
  spec: { ...route.spec, rules: route.spec.rules.map((rule) => resolveRule(rule, route.metadata.namespace, targets)) },
});

/** A backend, and which part of its weight is this one's: the rest is of others of its group. */
interface Share {
  readonly backend: ModelRouteBackend;
  readonly part: number;
  readonly total: number;
}

const resolveRule = (rule: ModelRouteRule, namespace: string, targets: InferenceTargets): ModelRouteRule => {
  const shares = rule.backends.flatMap((backend) => sharesOf(backend, namespace, targets));
  // A group that does not fit stays as it was written: one member of it takes the calls.
  if (shares.length > MAX_BACKENDS) return rule;
  return { ...rule, backends: weighted(shares) };
};

const sharesOf = (
  backend: ModelRouteBackend,
  namespace: string,
  { services, kserve }: InferenceTargets,
): readonly Share[] => {
  const alone = (resolved: ModelRouteBackend): readonly Share[] => [{ backend: resolved, part: 1, total: 1 }];
  const { inferenceServiceRef: ref, ...rest } = backend;
  if (ref === undefined) return alone(backend);
  if (ref.group === 'serving.kserve.io') {
    const url = kserve.find((service) => service.namespace === namespace && service.name === ref.name)?.url ?? null;
    if (url === null) return alone(backend);
    return alone({ ...rest, provider: { type: 'OpenAICompatible', baseUrl: versioned(url) } });
  }
  const isHere = ({ metadata }: LLMInferenceService): boolean => metadata.namespace === namespace;
  const named = services.find((service) => isHere(service) && service.metadata.name === ref.name);
  const group = named === undefined ? null : routingGroup(named);
  if (group === null) return alone(backend);
  const members = services.flatMap((service) => {
    const membership = isHere(service) ? routingGroup(service) : null;
    return membership?.name === group.name ? [{ name: service.metadata.name, weight: membership.weight }] : [];
  });
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return alone(backend);
  return members.map(({ name, weight }) => ({
    // The member that the route names keeps the backend's name, and so its figures.
    backend: {
      ...backend,
      name: name === ref.name ? backend.name : `${backend.name}.${name}`.slice(0, 63),
      inferenceServiceRef: { ...ref, name },
    },
    part: weight,
    total,
  }));
};

/** Weights are whole numbers: all of the rule are multiplied until each part is one, then divided by what they share. */
const weighted = (shares: readonly Share[]): ModelRouteBackend[] => {
  if (shares.every(({ part, total }) => part === total)) return shares.map(({ backend }) => backend);
  const totals = [...new Set(shares.map(({ total }) => total))];
  const exact = shares.map(({ backend, part, total }) =>
    totals.reduce((weight, each) => (each === total ? weight : weight * each), backend.weight * part),
  );
  const divisor = exact.reduce(greatestCommonDivisor, 0) || 1;
  const largest = Math.max(...exact) / divisor;
  const scale = largest > MAX_WEIGHT ? MAX_WEIGHT / largest : 1;
  return shares.map(({ backend }, index) => {
    const weight = ((exact[index] ?? 0) / divisor) * scale;
    return { ...backend, weight: weight > 0 ? Math.max(1, Math.round(weight)) : 0 };
  });
};

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** Servers of models speak OpenAI's API, below /v1. */
const versioned = (url: string): string => (/\/v1\/?$/.test(url) ? url : `${url.replace(/\/$/, '')}/v1`);
