import type { Provider } from '@pydantic/genai-prices';
import { findProvider } from '@pydantic/genai-prices';

/** The source of the table, pinned. Raising the version means raising `AS_OF` with it: the build knows no clock. */
export const SOURCE = { name: '@pydantic/genai-prices', version: '0.1.8' } as const;

/** The day whose prices are in force in the table; later changes that the source announces are kept beside it. */
export const AS_OF = '2026-11-21';

/** The providers that are taken over, in the order of the table. The package names them; it has no list of its own. */
const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'azure',
  'aws',
  'arcee',
  'avian',
  'baseten',
  'cerebras',
  'cloudflare',
  'cohere',
  'deepseek',
  'doubleword',
  'fireworks',
  'groq',
  'huggingface_cerebras',
  'huggingface_fireworks-ai',
  'huggingface_groq',
  'huggingface_hyperbolic',
  'huggingface_nebius',
  'huggingface_novita',
  'huggingface_nscale',
  'huggingface_ovhcloud',
  'huggingface_publicai',
  'huggingface_sambanova',
  'huggingface_together',
  'minimax',
  'mistral',
  'modal',
  'moonshotai',
  'novita',
  'openrouter',
  'ovhcloud',
  'perplexity',
  'quicksilverpro',
  'together',
  'voyageai',
  'x-ai',
  'zai',
  'zhipuai',
] as const;

export const sourceProviders = (): readonly Provider[] =>
  PROVIDERS.map((id) => {
    const provider = findProvider({ providerId: id });
    if (provider?.id !== id) throw new Error(`${SOURCE.name} has no provider ${id} any more`);
    return provider;
  });
