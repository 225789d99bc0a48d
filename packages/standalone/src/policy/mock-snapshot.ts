/** Leads every backend of a snapshot to the mock provider, whatever address its route names: simulated means that nobody is charged. */
import type { ProviderType, Snapshot } from '@tollgate/api';

/** As each provider's SDK takes it. */
const PATHS: Readonly<Record<ProviderType, string>> = {
  OpenAI: '/v1',
  OpenAICompatible: '/v1',
  Anthropic: '',
  Gemini: '',
  AzureOpenAI: '',
  Bedrock: '',
};

export interface ProxyUpstreams {
  readonly openai?: string;
  readonly anthropic?: string;
  readonly gemini?: string;
  readonly azure?: string;
}

export const mockUpstreams = (mockUrl: string): ProxyUpstreams => ({
  openai: mockUrl + PATHS.OpenAI,
  anthropic: mockUrl + PATHS.Anthropic,
  gemini: mockUrl + PATHS.Gemini,
  azure: mockUrl + PATHS.AzureOpenAI,
});

/** The prices stay those of the real address: the bill is what the calls would have cost there. */
export const mockSnapshot = (snapshot: Snapshot, mockUrl: string, hash: (text: string) => string): Snapshot => ({
  ...snapshot,
  version: hash(`${snapshot.version} ${mockUrl}`),
  routes: snapshot.routes.map((route) => ({
    ...route,
    rules: route.rules.map((rule) => ({
      ...rule,
      backends: rule.backends.map((backend) => ({ ...backend, baseUrl: mockUrl + PATHS[backend.provider] })),
    })),
  })),
});
