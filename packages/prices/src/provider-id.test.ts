import { describe, expect, it } from '@jest/globals';
import { priceProvider } from '@tollgate/prices';

describe('the price list of a backend', () => {
  it.each([
    ['OpenAI', null, 'openai'],
    ['Anthropic', 'http://127.0.0.1:4199', 'anthropic'],
    ['AzureOpenAI', 'https://acme.openai.azure.com', 'azure'],
    ['Gemini', null, 'google'],
    ['Bedrock', null, 'aws'],
    ['OpenAICompatible', 'https://api.groq.com/openai/v1', 'groq'],
    ['OpenAICompatible', 'https://API.DeepSeek.com', 'deepseek'],
    ['OpenAICompatible', 'https://eu.api.mistral.ai:443/v1', 'mistral'],
    ['OpenAICompatible', 'http://ollama.default.svc:11434/v1', 'openai-compatible'],
    ['OpenAICompatible', 'https://evilapi.groq.com.example/', 'openai-compatible'],
    ['OpenAICompatible', 'https://notapi.groq.com', 'openai-compatible'],
    ['OpenAICompatible', 'not a url', 'openai-compatible'],
    ['OpenAICompatible', null, 'openai-compatible'],
    ['openai', null, 'openai'],
  ])('%s at %s is %s', (type, baseUrl, provider) => {
    expect(priceProvider(type, baseUrl)).toBe(provider);
  });
});
