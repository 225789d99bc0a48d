/**
 * Points a pod's applications at the proxy. A base URL that the user has set is not lost: it becomes the proxy's upstream
 * for that provider, and the application is pointed at the proxy like any other. There is one upstream a provider; what
 * cannot be taken over is left as it is, and said.
 */
import {
  AZURE_SIGNS,
  BASE_URL_VARIABLES,
  KEY_SIGNS,
  OPENAI_SIGNS,
  PUBLIC_URLS,
  type BaseUrlVariable,
} from './base-url-variables.ts';
import { PROVIDERS, type ProviderId } from './facts.ts';
import { ownBaseUrl, type OwnBaseUrl } from './own-base-url.ts';
import type { Container, EnvVar } from './pod.ts';

export interface BaseUrlPlan {
  /** By container name: the variables to set, in order. Those that are set already are replaced where they stand. */
  readonly variables: ReadonlyMap<string, readonly SetVariable[]>;
  readonly upstreams: Readonly<Partial<Record<ProviderId, string>>>;
  /** An upstream lies in the cluster, which the proxy dials only where it was told so. */
  readonly dialsPrivate: boolean;
  readonly skipped: readonly SkippedVariable[];
}

export interface SetVariable {
  readonly name: string;
  readonly value: string;
}

export interface SkippedVariable {
  readonly container: string;
  readonly name: string;
  readonly why: string;
}

export interface BaseUrlQuestion {
  /** Those to be pointed at the proxy. */
  readonly applications: readonly Container[];
  readonly providers: readonly ProviderId[];
  readonly port: number;
  /** What an earlier look at the same pod took over. */
  readonly adopted: Readonly<Partial<Record<ProviderId, string>>>;
  /** A route sends a key to the provider's own address, which a pod's author must not move. */
  readonly fixed: ReadonlySet<ProviderId>;
}

export const planBaseUrls = (question: BaseUrlQuestion): BaseUrlPlan => {
  const { applications, providers, port } = question;
  const wired = BASE_URL_VARIABLES.filter(({ provider }) => providers.includes(provider));
  const upstreams = chooseUpstreams(question, wired);
  const skipped: SkippedVariable[] = [];
  const variables = new Map<string, readonly SetVariable[]>();

  for (const { name: container, env } of applications) {
    const left = new Set<ProviderId>();
    const set = wired.filter((variable) => {
      const why = whyNotSet(variable, env ?? [], upstreams.get(variable.provider), question);
      if (why === null) return true;
      if (why !== UNASKED) {
        skipped.push({ container, name: variable.name, why });
        left.add(variable.provider);
      }
      return false;
    });
    // OpenAI has two names for its base URL: where the user's own under one of them stays, ours under the other would
    // win in some clients and lose in others.
    const kept = set.filter(({ provider }) => !left.has(provider));
    variables.set(
      container,
      kept.map(({ name, path }) => ({ name, value: `http://127.0.0.1:${port}${path}` })),
    );
  }
  const taken = PROVIDERS.flatMap((provider) => {
    const upstream = upstreams.get(provider);
    return upstream === undefined || upstream === 'public' ? [] : [{ provider, ...upstream }];
  });
  return {
    variables,
    upstreams: Object.fromEntries(taken.map(({ provider, url }) => [provider, url])),
    dialsPrivate: taken.some(({ isPrivate }) => isPrivate),
    skipped,
  };
};

type Upstream = { readonly url: string; readonly isPrivate: boolean } | 'public';

/** One a provider. What points here already keeps what it stood for; then the first that the pod names. */
const chooseUpstreams = (
  { applications, adopted, fixed, port }: BaseUrlQuestion,
  wired: readonly BaseUrlVariable[],
): ReadonlyMap<ProviderId, Upstream> => {
  const chosen = new Map<ProviderId, Upstream>();
  for (const { provider } of wired) {
    if (fixed.has(provider)) chosen.set(provider, 'public');
    else if (pointsHere(applications, provider, port)) {
      const own = ownBaseUrl({ name: '', value: adopted[provider] ?? '' }, [], port);
      chosen.set(provider, upstreamOf(own, provider) ?? 'public');
    }
  }
  for (const { env } of applications) {
    for (const { name, provider } of wired) {
      const own = ownUrlOf(name, env ?? [], port);
      const upstream = own === null ? null : upstreamOf(own, provider);
      if (upstream !== null && !chosen.has(provider)) chosen.set(provider, upstream);
    }
  }
  return chosen;
};

const UNASKED = Symbol('unasked');

/** Null: it is set. A text: it stays as it is, and the user hears why. */
const whyNotSet = (
  { name, provider, set }: BaseUrlVariable,
  entries: readonly EnvVar[],
  upstream: Upstream | undefined,
  { fixed, port }: BaseUrlQuestion,
): string | typeof UNASKED | null => {
  const own = ownUrlOf(name, entries, port);
  const elsewhere = upstream === undefined || upstream === 'public' ? null : upstream.url;
  if (own === null || own.kind === 'none') {
    if (own === null && (set === 'given' || speaksToAzureAlone(provider, entries))) return UNASKED;
    // Its calls would go where another container's do, with a key that is for the public address.
    const isAnothers = elsewhere !== null && !namesOwn(provider, entries, port) && hasAny(KEY_SIGNS[provider], entries);
    return isAnothers ? `the pod's calls to ${provider} go to ${elsewhere}; state a base URL here too` : null;
  }
  if (own.kind === 'proxy') return null;
  if (own.kind === 'unusable') return own.why;
  const wished = upstreamOf(own, provider);
  if (wished === 'public' ? elsewhere === null : own.url === elsewhere) return null;
  if (fixed.has(provider)) return `a ModelRoute sends a key to ${provider}; give its backend this baseUrl instead`;
  return `the pod's calls to ${provider} go to ${elsewhere ?? 'its public address'} already`;
};

const upstreamOf = (own: OwnBaseUrl, provider: ProviderId): Upstream | null => {
  if (own.kind !== 'url') return null;
  return own.url === PUBLIC_URLS[provider] ? 'public' : { url: own.url, isPrivate: own.isPrivate };
};

/** The last of a name is the one that counts. Null: the container does not name the variable. */
const ownUrlOf = (name: string, entries: readonly EnvVar[], port: number): OwnBaseUrl | null => {
  const at = entries.findLastIndex((entry) => entry.name === name);
  const entry = entries[at];
  return entry === undefined ? null : ownBaseUrl(entry, entries.slice(0, at), port);
};

const namesOwn = (provider: ProviderId, entries: readonly EnvVar[], port: number): boolean =>
  BASE_URL_VARIABLES.some((variable) => {
    const own = variable.provider === provider ? ownUrlOf(variable.name, entries, port) : null;
    return own !== null && own.kind !== 'none';
  });

const pointsHere = (applications: readonly Container[], provider: ProviderId, port: number): boolean =>
  BASE_URL_VARIABLES.filter((variable) => variable.provider === provider).some(({ name }) =>
    applications.some(({ env }) => ownUrlOf(name, env ?? [], port)?.kind === 'proxy'),
  );

const speaksToAzureAlone = (provider: ProviderId, entries: readonly EnvVar[]): boolean =>
  provider === 'openai' && hasAny(AZURE_SIGNS, entries) && !hasAny(OPENAI_SIGNS, entries);

const hasAny = (names: readonly string[], entries: readonly EnvVar[]): boolean =>
  entries.some(({ name }) => names.includes(name));
