import type { FormatId, Provider } from '../format.ts';

/**
 * Every path of every provider that we know of, and its fate; docs are made from this list.
 * - metered: read, held, charged.
 * - free: costs nothing by itself (lists, lookups, deletions, token counting, moderation, uploads).
 * - unknown: spends money in a way that is not metered yet, or stores what is billed by the day. Paths that are not listed
 *   are unknown as well; a listed path with another method is refused.
 * `{name}` stands for one segment, `*` at the end for any rest.
 */
export type PathRow = {
  readonly provider: Provider;
  readonly methods: readonly Method[];
  readonly path: string;
} & (
  | { readonly fate: 'metered'; readonly format: FormatId; readonly stream: boolean }
  | { readonly fate: 'free' | 'unknown' }
);

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const metered = (provider: Provider, path: string, format: FormatId, stream = false): PathRow => ({
  provider,
  methods: ['POST'],
  path,
  fate: 'metered',
  format,
  stream,
});

const rows = (provider: Provider, fate: 'free' | 'unknown', lines: readonly string[]): readonly PathRow[] =>
  lines.map((line) => {
    const [methods = '', path = ''] = line.split(' ');
    return { provider, fate, path, methods: methods.split('|').filter(isMethod) };
  });

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const isMethod = (word: string): word is Method => METHODS.includes(word);

/** Relative to a base URL that ends in `/v1`. https://platform.openai.com/docs/api-reference */
const OPENAI: readonly PathRow[] = [
  metered('openai', '/chat/completions', 'openai-chat'),
  metered('openai', '/completions', 'openai-completions'),
  metered('openai', '/responses', 'openai-responses'),
  metered('openai', '/embeddings', 'openai-embeddings'),
  ...rows('openai', 'free', [
    ...['GET /models', 'GET|DELETE /models/{model}', 'POST /moderations', 'GET /chat/completions'],
    ...['GET|POST|DELETE /chat/completions/{id}', 'GET /chat/completions/{id}/messages'],
    ...[
      'GET|DELETE /responses/{id}',
      'POST /responses/{id}/cancel',
      'GET /responses/{id}/input_items',
      'POST /responses/input_tokens',
    ],
    ...['POST /conversations', 'GET|POST|DELETE /conversations/{id}', 'GET|POST /conversations/{id}/items'],
    ...[
      'GET|DELETE /conversations/{id}/items/{item}',
      'GET|POST /files',
      'GET|DELETE /files/{id}',
      'GET /files/{id}/content',
    ],
    ...['POST /uploads', 'POST /uploads/{id}/parts', 'POST /uploads/{id}/complete', 'POST /uploads/{id}/cancel'],
    ...[
      'GET /batches',
      'GET /batches/{id}',
      'POST /batches/{id}/cancel',
      'GET /fine_tuning/jobs',
      'GET /fine_tuning/jobs/{id}',
    ],
    ...['POST /fine_tuning/jobs/{id}/cancel', 'POST /fine_tuning/jobs/{id}/pause', 'GET /fine_tuning/jobs/{id}/events'],
    ...[
      'GET /fine_tuning/jobs/{id}/checkpoints',
      'GET|POST /assistants',
      'GET|POST|DELETE /assistants/{id}',
      'POST /threads',
    ],
    ...[
      'GET|POST|DELETE /threads/{id}',
      'GET|POST /threads/{id}/messages',
      'GET|POST|DELETE /threads/{id}/messages/{message}',
    ],
    ...['GET /threads/{id}/runs', 'GET|POST /threads/{id}/runs/{run}', 'POST /threads/{id}/runs/{run}/cancel'],
    ...['GET /threads/{id}/runs/{run}/steps', 'GET /threads/{id}/runs/{run}/steps/{step}', 'GET /vector_stores'],
    ...[
      'GET|DELETE /vector_stores/{id}',
      'GET /vector_stores/{id}/files',
      'GET|DELETE /vector_stores/{id}/files/{file}',
    ],
    ...[
      'GET /videos',
      'GET|DELETE /videos/{id}',
      'GET /videos/{id}/content',
      'GET /containers',
      'GET|DELETE /containers/{id}',
    ],
    ...['GET /evals', 'GET|DELETE /evals/{id}', 'GET /evals/{id}/runs', 'GET|DELETE /evals/{id}/runs/{run}'],
  ]),
  ...rows('openai', 'unknown', [
    ...['POST /images/generations', 'POST /images/edits', 'POST /images/variations', 'POST /audio/speech'],
    ...['POST /audio/transcriptions', 'POST /audio/translations', 'POST /batches', 'POST /fine_tuning/jobs'],
    ...[
      'POST /fine_tuning/jobs/{id}/resume',
      'POST /fine_tuning/alpha/graders/run',
      'POST /threads/runs',
      'POST /threads/{id}/runs',
    ],
    ...['POST /threads/{id}/runs/{run}/submit_tool_outputs', 'POST /vector_stores', 'POST /vector_stores/{id}'],
    ...['POST /vector_stores/{id}/files', 'POST /vector_stores/{id}/file_batches', 'POST /vector_stores/{id}/search'],
    ...[
      'GET /realtime',
      'POST /realtime/sessions',
      'POST /realtime/client_secrets',
      'POST /realtime/transcription_sessions',
    ],
    ...[
      'POST /realtime/calls',
      'POST /responses/compact',
      'POST /videos',
      'POST /videos/{id}/remix',
      'POST /containers',
    ],
    ...['POST /evals', 'POST /evals/{id}', 'POST /evals/{id}/runs', 'POST /evals/{id}/runs/{run}'],
  ]),
];

/** https://docs.anthropic.com/en/api; the last two lines are its door for OpenAI clients. */
const ANTHROPIC: readonly PathRow[] = [
  metered('anthropic', '/v1/messages', 'anthropic-messages'),
  ...rows('anthropic', 'free', [
    ...['POST /v1/messages/count_tokens', 'GET /v1/messages/batches', 'GET|DELETE /v1/messages/batches/{id}'],
    ...[
      'POST /v1/messages/batches/{id}/cancel',
      'GET /v1/messages/batches/{id}/results',
      'GET /v1/models',
      'GET /v1/models/{model}',
    ],
    ...['GET|POST /v1/files', 'GET|DELETE /v1/files/{id}', 'GET /v1/files/{id}/content'],
  ]),
  ...rows('anthropic', 'unknown', ['POST /v1/messages/batches', 'POST /v1/complete']),
  metered('anthropic', '/v1/chat/completions', 'openai-chat'),
];

const GEMINI_VERSIONS = ['v1', 'v1beta', 'v1alpha'] as const;

/** https://ai.google.dev/api; Vertex names models below a project; `/openai/` is its door for OpenAI clients. */
const GEMINI: readonly PathRow[] = GEMINI_VERSIONS.flatMap((version) => [
  metered('gemini', `/${version}/models/{model}:generateContent`, 'gemini-generate'),
  metered('gemini', `/${version}/models/{model}:streamGenerateContent`, 'gemini-generate', true),
  metered('gemini', `/${version}/tunedModels/{model}:generateContent`, 'gemini-generate'),
  metered('gemini', `/${version}/tunedModels/{model}:streamGenerateContent`, 'gemini-generate', true),
  metered('gemini', `/${version}/openai/chat/completions`, 'openai-chat'),
  metered('gemini', `/${version}/openai/embeddings`, 'openai-embeddings'),
  ...rows(
    'gemini',
    'free',
    [
      ...[
        'GET /models',
        'GET /models/{model}',
        'POST /models/{model}:countTokens',
        'GET /tunedModels',
        'GET|PATCH|DELETE /tunedModels/{model}',
      ],
      ...[
        'GET /cachedContents',
        'GET|DELETE /cachedContents/{id}',
        'GET|POST /files',
        'GET|DELETE /files/{id}',
        'GET /operations/{id}',
      ],
      ...['GET /models/{model}/operations/{id}', 'GET /openai/models', 'GET /openai/models/{model}'],
    ].map((line) => line.replace(' ', ` /${version}`)),
  ),
  ...rows('gemini', 'free', [`POST /upload/${version}/files`, `PUT|POST /upload/${version}/files/{id}`]),
  ...rows(
    'gemini',
    'unknown',
    [
      ...[
        'POST /models/{model}:embedContent',
        'POST /models/{model}:batchEmbedContents',
        'POST /models/{model}:asyncBatchEmbedContent',
      ],
      ...[
        'POST /models/{model}:batchGenerateContent',
        'POST /models/{model}:predict',
        'POST /models/{model}:predictLongRunning',
      ],
      ...[
        'POST /models/{model}:generateAnswer',
        'POST /tunedModels',
        'POST /cachedContents',
        'PATCH /cachedContents/{id}',
      ],
      ...['POST /openai/images/generations', 'POST /openai/batches'],
    ].map((line) => line.replace(' ', ` /${version}`)),
  ),
]);

const VERTEX: readonly PathRow[] = ['v1', 'v1beta1'].flatMap((version) => {
  const model = `/${version}/projects/{project}/locations/{location}/publishers/google/models/{model}`;
  return [
    metered('gemini', `${model}:generateContent`, 'gemini-generate'),
    metered('gemini', `${model}:streamGenerateContent`, 'gemini-generate', true),
    ...rows('gemini', 'free', [`POST ${model}:countTokens`, `POST ${model}:computeTokens`]),
    ...rows('gemini', 'unknown', [
      `POST ${model}:predict`,
      `POST ${model}:predictLongRunning`,
      `POST ${model}:embedContent`,
    ]),
  ];
});

const LIVE: readonly PathRow[] = rows('gemini', 'unknown', ['GET /ws/*']);

/** https://learn.microsoft.com/azure/ai-services/openai/reference; the deployment names the model, whatever the body says. */
const AZURE: readonly PathRow[] = [
  metered('azure', '/openai/deployments/{deployment}/chat/completions', 'openai-chat'),
  metered('azure', '/openai/deployments/{deployment}/completions', 'openai-completions'),
  metered('azure', '/openai/deployments/{deployment}/embeddings', 'openai-embeddings'),
  metered('azure', '/openai/responses', 'openai-responses'),
  metered('azure', '/openai/v1/chat/completions', 'openai-chat'),
  metered('azure', '/openai/v1/completions', 'openai-completions'),
  metered('azure', '/openai/v1/responses', 'openai-responses'),
  metered('azure', '/openai/v1/embeddings', 'openai-embeddings'),
  metered('azure', '/models/chat/completions', 'openai-chat'),
  metered('azure', '/models/embeddings', 'openai-embeddings'),
  metered('azure', '/anthropic/v1/messages', 'anthropic-messages'),
  ...rows('azure', 'free', [
    ...['GET /openai/models', 'GET /openai/models/{model}', 'GET /openai/v1/models', 'GET /openai/v1/models/{model}'],
    ...[
      'GET|DELETE /openai/responses/{id}',
      'POST /openai/responses/{id}/cancel',
      'GET /openai/responses/{id}/input_items',
    ],
    ...[
      'GET|DELETE /openai/v1/responses/{id}',
      'POST /openai/v1/responses/{id}/cancel',
      'GET /openai/v1/responses/{id}/input_items',
    ],
    ...[
      'GET|POST /openai/files',
      'GET|DELETE /openai/files/{id}',
      'GET /openai/files/{id}/content',
      'GET /openai/batches',
    ],
    ...['GET /openai/batches/{id}', 'GET /info', 'POST /anthropic/v1/messages/count_tokens'],
  ]),
  ...rows('azure', 'unknown', [
    ...[
      'POST /openai/deployments/{deployment}/images/generations',
      'POST /openai/deployments/{deployment}/images/edits',
    ],
    ...[
      'POST /openai/deployments/{deployment}/audio/speech',
      'POST /openai/deployments/{deployment}/audio/transcriptions',
    ],
    ...[
      'POST /openai/deployments/{deployment}/audio/translations',
      'POST /openai/batches',
      'GET /openai/realtime',
      'GET /openai/v1/realtime',
    ],
  ]),
];

export const PATHS: readonly PathRow[] = [...OPENAI, ...ANTHROPIC, ...GEMINI, ...VERTEX, ...LIVE, ...AZURE];

/** Where a provider's paths are mounted in the proxy; the first that matches counts. `upstream` replaces `prefix`. */
export interface Mount {
  readonly prefix: string;
  readonly provider: Provider;
  readonly upstream: string;
}

export const MOUNTS: readonly Mount[] = [
  { prefix: '/openai/v1/', provider: 'openai', upstream: '/' },
  { prefix: '/openai/deployments/', provider: 'azure', upstream: '/openai/deployments/' },
  { prefix: '/anthropic/', provider: 'anthropic', upstream: '/' },
  { prefix: '/gemini/', provider: 'gemini', upstream: '/' },
  { prefix: '/azure/', provider: 'azure', upstream: '/' },
  { prefix: '/v1beta/', provider: 'gemini', upstream: '/v1beta/' },
  { prefix: '/v1/messages', provider: 'anthropic', upstream: '/v1/messages' },
  { prefix: '/v1/', provider: 'openai', upstream: '/' },
];
