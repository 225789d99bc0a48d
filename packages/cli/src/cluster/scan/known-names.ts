/** Names beside those that injection sets: what they mean, and so what it does not cover. */
import type { ProviderId } from '@tollgate/operator/injection';

/** Keys of services whose SDKs have no base-URL variable that leads to the proxy. */
export const UNMETERED_SERVICES: Readonly<Record<string, string>> = {
  AWS_BEARER_TOKEN_BEDROCK: 'Amazon Bedrock',
  ANTHROPIC_BEDROCK_BASE_URL: 'Amazon Bedrock',
  CLAUDE_CODE_USE_BEDROCK: 'Amazon Bedrock',
  ANTHROPIC_VERTEX_PROJECT_ID: 'Vertex AI',
  ANTHROPIC_VERTEX_BASE_URL: 'Vertex AI',
  CLAUDE_CODE_USE_VERTEX: 'Vertex AI',
  GOOGLE_GENAI_USE_VERTEXAI: 'Vertex AI',
  COHERE_API_KEY: 'Cohere',
  CO_API_KEY: 'Cohere',
  DEEPSEEK_API_KEY: 'DeepSeek',
  GROQ_API_KEY: 'Groq',
  MISTRAL_API_KEY: 'Mistral',
  OPENROUTER_API_KEY: 'OpenRouter',
  PERPLEXITY_API_KEY: 'Perplexity',
  REPLICATE_API_TOKEN: 'Replicate',
  TOGETHER_API_KEY: 'Together',
  XAI_API_KEY: 'xAI',
};

/** Base URLs that applications name in their own way: no SDK reads them, so injection does not set them. */
export const OTHER_BASE_URLS: Readonly<Record<string, ProviderId>> = {
  // Open WebUI
  OPENAI_API_BASE_URL: 'openai',
  OPENAI_API_BASE_URLS: 'openai',
  // LibreChat
  OPENAI_REVERSE_PROXY: 'openai',
  // LobeChat
  OPENAI_PROXY_URL: 'openai',
  ANTHROPIC_PROXY_URL: 'anthropic',
  GEMINI_PROXY_URL: 'gemini',
  OPENAI_API_HOST: 'openai',
  OPENAI_API_URL: 'openai',
  OPENAI_ENDPOINT: 'openai',
};

/** A part of the path of images that call models with keys and addresses of their own settings, out of sight of a scan. */
export const KNOWN_IMAGES: readonly string[] = [
  'anything-llm',
  'anythingllm',
  'dify-api',
  'flowise',
  'langflow',
  'librechat',
  'litellm',
  'litellm-database',
  'lobe-chat',
  'n8n',
  'open-webui',
];
