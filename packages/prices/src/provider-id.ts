/** The price table's provider for a ModelRoute's provider type; `OpenAICompatible` has none of its own. */
const BY_TYPE: Readonly<Record<string, string>> = {
  OpenAI: 'openai',
  Anthropic: 'anthropic',
  AzureOpenAI: 'azure',
  Gemini: 'google',
  Bedrock: 'aws',
};

/** Hosts compatible with OpenAI whose prices are in the table. The whole host must match, or end in `.` + the name. */
const BY_HOST: readonly (readonly [string, string])[] = [
  ['api.openai.com', 'openai'],
  ['api.anthropic.com', 'anthropic'],
  ['openai.azure.com', 'azure'],
  ['cognitiveservices.azure.com', 'azure'],
  ['services.ai.azure.com', 'azure'],
  ['generativelanguage.googleapis.com', 'google'],
  ['aiplatform.googleapis.com', 'google'],
  ['api.groq.com', 'groq'],
  ['api.deepseek.com', 'deepseek'],
  ['api.mistral.ai', 'mistral'],
  ['api.x.ai', 'x-ai'],
  ['api.together.xyz', 'together'],
  ['api.fireworks.ai', 'fireworks'],
  ['api.cerebras.ai', 'cerebras'],
  ['api.perplexity.ai', 'perplexity'],
  ['openrouter.ai', 'openrouter'],
  ['api.moonshot.ai', 'moonshotai'],
  ['api.moonshot.cn', 'moonshotai'],
  ['api.cohere.com', 'cohere'],
  ['api.cohere.ai', 'cohere'],
  ['api.novita.ai', 'novita'],
  ['api.voyageai.com', 'voyageai'],
  ['api.z.ai', 'zai'],
  ['api.minimax.io', 'minimax'],
];

/**
 * Under which provider a backend's models are priced. A base URL says more than the type: a host compatible with OpenAI
 * is priced by its address, and a private one (Ollama, vLLM) as `openai-compatible`, of which the table knows nothing.
 *
 * @example
 * priceProvider('OpenAI', null) // 'openai'
 * priceProvider('OpenAICompatible', 'https://api.groq.com/openai/v1') // 'groq'
 */
export const priceProvider = (type: string, baseUrl: string | null): string => {
  const known = BY_TYPE[type];
  if (known !== undefined) return known;
  const host = baseUrl === null ? null : hostOf(baseUrl);
  const match = host === null ? undefined : BY_HOST.find(([name]) => host === name || host.endsWith(`.${name}`));
  return match?.[1] ?? (type === 'OpenAICompatible' ? 'openai-compatible' : type);
};

const hostOf = (url: string): string | null =>
  /^https?:\/\/([a-z0-9.-]+)(?::\d+)?(?:\/|$)/i.exec(url)?.[1]?.toLowerCase() ?? null;
