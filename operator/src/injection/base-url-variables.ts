/** Variables by which SDKs learn where their provider is, for the formats that the proxy meters. */
import type { ProviderId } from './facts.ts';

export interface BaseUrlVariable {
  readonly name: string;
  readonly provider: ProviderId;
  /** Below the proxy's address. */
  readonly path: string;
  /**
   * always: set where it is not. given: only led to the proxy where the user has set it, since an SDK takes its presence
   * for a choice of provider, or there is no address to fall back on.
   */
  readonly set: 'always' | 'given';
}

/** Read from openai 3.52 (Python) and 7.57, anthropic 2.11 and 1.12, google-genai 3.4 and 3.1, langchain-openai, litellm. */
export const BASE_URL_VARIABLES: readonly BaseUrlVariable[] = [
  { name: 'OPENAI_BASE_URL', provider: 'openai', path: '/openai/v1', set: 'always' },
  // LangChain and LiteLLM
  { name: 'OPENAI_API_BASE', provider: 'openai', path: '/openai/v1', set: 'always' },
  { name: 'ANTHROPIC_BASE_URL', provider: 'anthropic', path: '/anthropic', set: 'always' },
  { name: 'GOOGLE_GEMINI_BASE_URL', provider: 'gemini', path: '/gemini', set: 'always' },
  { name: 'AZURE_OPENAI_ENDPOINT', provider: 'azure', path: '/azure', set: 'given' },
];

/** What the SDKs use without a variable: to name it is to say nothing. Azure's holds the resource's name. */
export const PUBLIC_URLS: Readonly<Record<ProviderId, string | null>> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  gemini: 'https://generativelanguage.googleapis.com',
  azure: null,
};

/**
 * With any of these and none of OpenAI's own, a container speaks to Azure alone. There OpenAI's base URL must not be set:
 * its client for Azure in JavaScript takes it for Azure's address, or fails since it excludes an endpoint.
 */
export const AZURE_SIGNS = ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_AD_TOKEN'];
export const OPENAI_SIGNS = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_API_BASE'];

/** A container that has one speaks to that provider, wherever its base URL comes from. */
export const KEY_SIGNS: Readonly<Record<ProviderId, readonly string[]>> = {
  openai: ['OPENAI_API_KEY'],
  anthropic: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
  gemini: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  azure: AZURE_SIGNS,
};
