import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pathFate } from './path-fate.ts';
import { MOUNTS, PATHS } from './path-table.ts';

describe('pathFate', () => {
  it.each([
    ['/openai/v1/chat/completions', 'openai', 'openai-chat', '/chat/completions', 'openai'],
    ['/v1/chat/completions?a=b&c=%20', 'openai', 'openai-chat', '/chat/completions?a=b&c=%20', 'openai'],
    ['/v1/completions', 'openai', 'openai-completions', '/completions', 'openai'],
    ['/v1/responses', 'openai', 'openai-responses', '/responses', 'openai'],
    ['/v1/embeddings', 'openai', 'openai-embeddings', '/embeddings', 'openai'],
    ['/anthropic/v1/messages', 'anthropic', 'anthropic-messages', '/v1/messages', 'anthropic'],
    ['/anthropic/v1/messages?beta=true', 'anthropic', 'anthropic-messages', '/v1/messages?beta=true', 'anthropic'],
    ['/v1/messages', 'anthropic', 'anthropic-messages', '/v1/messages', 'anthropic'],
    ['/anthropic/v1/chat/completions', 'anthropic', 'openai-chat', '/v1/chat/completions', 'openai'],
    ['/gemini/v1beta/openai/chat/completions', 'gemini', 'openai-chat', '/v1beta/openai/chat/completions', 'openai'],
    ['/azure/openai/v1/responses', 'azure', 'openai-responses', '/openai/v1/responses', 'openai'],
    ['/azure/openai/responses?api-version=x', 'azure', 'openai-responses', '/openai/responses?api-version=x', 'openai'],
    ['/azure/anthropic/v1/messages', 'azure', 'anthropic-messages', '/anthropic/v1/messages', 'anthropic'],
  ])('meters POST %s', (target, provider, format, upstreamPath, shape) => {
    expect(pathFate('POST', target)).toEqual({
      fate: 'metered',
      provider,
      format,
      upstreamPath,
      shape,
      model: null,
      deployment: null,
      stream: false,
    });
  });

  it.each([
    ['/gemini/v1beta/models/gemini-2.5-pro:generateContent', false, '/v1beta/models/gemini-2.5-pro:generateContent'],
    [
      '/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      true,
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    ],
    ['/v1beta/models/gemini-2.5-pro:generateContent', false, '/v1beta/models/gemini-2.5-pro:generateContent'],
    [
      '/gemini/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:streamGenerateContent',
      true,
      '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:streamGenerateContent',
    ],
  ])('reads model and stream from %s', (target, stream, upstreamPath) => {
    expect(pathFate('POST', target)).toMatchObject({
      fate: 'metered',
      provider: 'gemini',
      format: 'gemini-generate',
      model: 'gemini-2.5-pro',
      stream,
      upstreamPath,
    });
  });

  it.each([
    '/azure/openai/deployments/my-gpt.4/chat/completions?api-version=1',
    '/openai/deployments/my-gpt.4/chat/completions?api-version=1',
  ])('reads the deployment from %s', (target) => {
    expect(pathFate('POST', target)).toMatchObject({
      fate: 'metered',
      provider: 'azure',
      deployment: 'my-gpt.4',
      model: null,
      upstreamPath: '/openai/deployments/my-gpt.4/chat/completions?api-version=1',
    });
  });

  it.each([
    ['GET', '/v1/models', 'openai'],
    ['HEAD', '/v1/models', 'openai'],
    ['GET', '/v1/models/ft:gpt-4o:org::id', 'openai'],
    ['POST', '/v1/messages/count_tokens', 'anthropic'],
    ['POST', '/anthropic/v1/messages/count_tokens', 'anthropic'],
    ['GET', '/anthropic/v1/models', 'anthropic'],
    ['POST', '/gemini/v1beta/models/gemini-2.5-pro:countTokens', 'gemini'],
    ['GET', '/gemini/v1beta/models/gemini-2.5-pro', 'gemini'],
    ['POST', '/gemini/upload/v1beta/files', 'gemini'],
    ['GET', '/azure/openai/models', 'azure'],
  ])('lets %s %s pass for free', (method, target, provider) => {
    expect(pathFate(method, target)).toMatchObject({ fate: 'free', provider });
  });

  it.each([
    ['POST', '/v1/batches', 'openai'],
    ['POST', '/v1/images/generations', 'openai'],
    ['GET', '/v1/realtime?model=x', 'openai'],
    ['POST', '/v1/whatever/comes', 'openai'],
    ['POST', '/v1/messagesx', 'openai'],
    ['POST', '/v1/messages/batches', 'anthropic'],
    ['POST', '/gemini/v1beta/models/x:embedContent', 'gemini'],
    ['POST', '/gemini/v1beta/models/x:somethingNew', 'gemini'],
    ['GET', '/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent', 'gemini'],
    ['POST', '/azure/openai/deployments/x/images/generations', 'azure'],
  ])('does not know what %s %s costs', (method, target, provider) => {
    expect(pathFate(method, target)).toMatchObject({ fate: 'unknown', provider });
  });

  it.each([
    '/',
    '/healthz',
    '/metrics',
    '/v1',
    '/openai',
    '/openai/v1',
    '/openai/v1/',
    '/openai/responses',
    '//v1/chat/completions',
    '/v1//chat/completions',
    '/v1/../admin',
    '/v1/./x',
    '/v1/chat/..',
    '/v1/..%2fadmin',
    '/v1/%2e%2e/admin',
    '/v1/%2E/x',
    '/v1/chat%2fcompletions',
    '/v1/models/a%3Ab',
    '/v1/chat%00',
    '/v1/chat;x=1/completions',
    '/v1/chat/completions;x',
    '/v1\\chat',
    '/v1/chat/completions/',
    '/V1/chat/completions',
    '/v1/Chat/Completions',
    '/v1/CHAT/COMPLETIONS',
    '/Anthropic/v1/messages',
    '/anthropic/V1/messages',
    '/gemini/v1beta/models/x:GenerateContent',
    '/v1/models?a=\n',
    '/v1/models?a=b c',
    '/v1/models#x',
    '/v1/models?x#y',
    '/v1/models?a\\b',
    '/v1/mod\u00e9ls',
    '/v1/a b',
    '/V1beta/models/x:generateContent',
  ])('has no fate for %j', (target) => {
    for (const method of ['GET', 'POST'])
      expect(pathFate(method, target)).toMatchObject({ fate: 'invalid', error: 'not_found' });
  });

  it.each([
    'http://evil/v1/chat/completions',
    'https://api.openai.com/v1/models',
    '*',
    'api.openai.com:443',
    '',
    `/v1/${'a'.repeat(9000)}`,
  ])('refuses %j, which is no path', (target) => {
    expect(pathFate('POST', target)).toMatchObject({ fate: 'invalid', error: 'bad_request' });
  });

  it.each([
    ['TRACE', '/v1/chat/completions'],
    ['CONNECT', 'example.com:443'],
    ['GET', '/v1/completions'],
    ['GET', '/v1/responses'],
    ['PUT', '/v1/chat/completions'],
    ['OPTIONS', '/v1/chat/completions'],
    ['DELETE', '/anthropic/v1/messages'],
    ['GET', '/gemini/v1beta/models/x:generateContent'],
    ['post', '/v1/chat/completions'],
  ])('does not serve %s %s', (method, target) => {
    expect(pathFate(method, target)).toMatchObject({ fate: 'invalid', error: 'method_not_allowed' });
  });

  it('finds every row of its table below one of its mounts, with every method of it', () => {
    for (const row of PATHS) {
      const path = row.path.replaceAll(/\{[a-z]+\}/g, 'x1').replace('*', 'y');
      const mount = MOUNTS.find(
        ({ prefix, provider }) => provider === row.provider && prefix.startsWith(`/${provider}/`),
      );
      expect(mount).toBeDefined();
      if (mount === undefined) continue;
      const target = mount.prefix + path.slice(mount.upstream.length);
      for (const method of row.methods)
        expect(pathFate(method, target)).toMatchObject({ fate: row.fate, provider: row.provider, upstreamPath: path });
    }
  });

  it('says what a method of a path is but once', () => {
    const seen = PATHS.flatMap(({ provider, path, methods }) =>
      methods.map((method) => `${provider} ${method} ${path}`),
    );
    expect(new Set(seen).size).toBe(seen.length);
    expect(PATHS.every(({ methods, path }) => methods.length > 0 && path.startsWith('/'))).toBe(true);
  });

  it('never sends a metered path on as an unknown or free one, whatever is done to its letters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('/v1/chat/completions', '/anthropic/v1/messages', '/gemini/v1beta/models/m:generateContent'),
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        (path, upper) => {
          const target = [...path].map((char, i) => (upper[i] === true ? char.toUpperCase() : char)).join('');
          const { fate } = pathFate('POST', target);
          expect(['metered', 'invalid']).toContain(fate);
        },
      ),
    );
  });

  it('takes hostile targets in no time to speak of', () => {
    for (const target of [
      `/v1/${'a/'.repeat(4000)}`,
      `/v1/models/${':'.repeat(8000)}`,
      `/gemini/v1beta/models/${':generateContent'.repeat(500)}`,
      '/'.repeat(8000),
      `/v1/${'.'.repeat(8000)}`,
    ])
      expect(() => pathFate('POST', target)).not.toThrow();
  });
});
