/** Where a call may go: the first rule that matches its model, its backends in order, or the provider's own address. */
import { makeModelMatcher } from '@tollgate/budget';
import type { ProviderType, SnapshotBackend, SnapshotRoute, SnapshotRule } from '@tollgate/api';
import type { FormatId, Provider } from '@tollgate/providers';

/** Which backends speak a format. Ollama, vLLM and the like speak OpenAI's. */
const SPEAKS: Readonly<Record<Provider, readonly ProviderType[]>> = {
  openai: ['OpenAI', 'OpenAICompatible'],
  azure: ['AzureOpenAI'],
  anthropic: ['Anthropic'],
  gemini: ['Gemini'],
};

/** Public base URLs, as the providers' API pages give them. Azure has none: its address holds the resource's name. */
const PUBLIC_BASE: Readonly<Record<Provider, string | null>> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  gemini: 'https://generativelanguage.googleapis.com',
  azure: null,
};

/** Base URLs instead of the providers' own. */
export interface UpstreamOverrides extends Readonly<Record<Provider, string | null>> {
  /**
   * A key that a route names may go there. Not in a pod: who writes a pod, and so its base URLs, need not be allowed to
   * read the Secrets of its routes.
   */
  readonly takeKeys: boolean;
}

export interface MatchedRule {
  readonly route: SnapshotRoute;
  readonly rule: SnapshotRule;
}

export interface RuleBook {
  find(model: string | null): MatchedRule | null;
}

export const makeRuleBook = (routes: readonly SnapshotRoute[]): RuleBook => {
  const entries = routes.flatMap((route) =>
    route.rules.map((rule) => ({ route, rule, matches: makeModelMatcher(rule.models) })),
  );
  return {
    find(model) {
      if (model === null) return null;
      return entries.find(({ matches }) => matches(model)) ?? null;
    },
  };
};

/** Backends of a rule that speak the call's format, and carry traffic, in the order to try them. */
export const usableBackends = (rule: SnapshotRule, provider: Provider): readonly SnapshotBackend[] =>
  rule.backends.filter((backend) => SPEAKS[provider].includes(backend.provider));

export interface Base {
  readonly origin: string;
  /** Without a slash at its end. */
  readonly basePath: string;
}

export const baseOf = (
  provider: Provider,
  backend: SnapshotBackend | null,
  overrides: UpstreamOverrides,
): Base | null => {
  const isTrusted = overrides.takeKeys || backend === null || backend.credential === null;
  const url = backend?.baseUrl ?? (isTrusted ? overrides[provider] : null) ?? PUBLIC_BASE[provider];
  if (url === null) return null;
  const { origin, pathname } = new URL(url);
  return { origin, basePath: pathname.replace(/(?<!\/)\/+$/, '') };
};

/**
 * OpenAI's newer models take only the newer name of the cap, other hosts know only the older. Undefined where the format
 * itself has one name.
 */
export const outputCapField = (
  format: FormatId,
  backend: SnapshotBackend | null,
): 'max_tokens' | 'max_completion_tokens' | undefined => {
  if (format !== 'openai-chat') return undefined;
  return backend?.provider === 'OpenAICompatible' ? 'max_tokens' : 'max_completion_tokens';
};
