import { describe, expect, it } from '@jest/globals';
import { FORMATS } from '../format.ts';
import { type RefusalFacts, renderRefusal } from './render-refusal.ts';
import { renderStreamEnd } from './render-stream-end.ts';

const exhausted: RefusalFacts = {
  status: 429,
  code: 'budget_exhausted',
  message: 'TokenBudget team-a/daily is exhausted',
  retryAfterSeconds: 59.2,
  budget: 'team-a/daily',
  shouldRetry: false,
  requestId: 'req-1',
};
const plain = (status: number): RefusalFacts => ({ status, code: 'some_code', message: 'no' });

describe('renderRefusal', () => {
  it("says an exhausted budget in OpenAI's words", () => {
    const { status, headers, body } = renderRefusal('openai', exhausted);
    expect(status).toBe(429);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'retry-after': '60',
      'x-should-retry': 'false',
      'x-request-id': 'req-1',
    });
    expect(JSON.parse(body)).toEqual({
      error: { message: exhausted.message, type: 'insufficient_quota', param: null, code: 'budget_exhausted' },
    });
  });

  it("says it in Anthropic's words", () => {
    const { headers, body } = renderRefusal('anthropic', exhausted);
    expect(headers).toMatchObject({ 'retry-after': '60', 'x-should-retry': 'false', 'request-id': 'req-1' });
    expect(JSON.parse(body)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: exhausted.message, code: 'budget_exhausted' },
      request_id: 'req-1',
    });
  });

  it("says it in Google's words", () => {
    const { headers, body } = renderRefusal('gemini', exhausted);
    expect(headers).toMatchObject({ 'retry-after': '60', 'x-request-id': 'req-1' });
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 429,
        message: exhausted.message,
        status: 'RESOURCE_EXHAUSTED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'BUDGET_EXHAUSTED',
            domain: 'tollgate.dev',
            metadata: { budget: 'team-a/daily' },
          },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '60s' },
        ],
      },
    });
  });

  it('leaves out what is not said', () => {
    for (const shape of ['openai', 'anthropic', 'gemini'] as const)
      expect(
        renderRefusal(shape, { ...plain(400), param: null, retryAfterSeconds: null, budget: null, shouldRetry: null })
          .headers,
      ).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(renderRefusal('anthropic', plain(400)).body)).not.toHaveProperty('request_id');
    expect(JSON.parse(renderRefusal('openai', { ...plain(400), param: 'n' }).body)).toMatchObject({
      error: { param: 'n' },
    });
    expect(renderRefusal('openai', { ...plain(429), shouldRetry: true, retryAfterSeconds: 1 }).headers).toMatchObject({
      'x-should-retry': 'true',
      'retry-after': '1',
    });
  });

  it.each([
    [400, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
    [401, 'authentication_error', 'authentication_error', 'UNAUTHENTICATED'],
    [403, 'permission_error', 'permission_error', 'PERMISSION_DENIED'],
    [404, 'invalid_request_error', 'not_found_error', 'NOT_FOUND'],
    [405, 'invalid_request_error', 'invalid_request_error', 'UNIMPLEMENTED'],
    [413, 'invalid_request_error', 'request_too_large', 'INVALID_ARGUMENT'],
    [429, 'rate_limit_error', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
    [500, 'server_error', 'api_error', 'INTERNAL'],
    [503, 'server_error', 'api_error', 'UNAVAILABLE'],
    [504, 'server_error', 'timeout_error', 'DEADLINE_EXCEEDED'],
  ])('names a %i as each provider does', (status, openai, anthropic, google) => {
    expect(JSON.parse(renderRefusal('openai', plain(status)).body)).toMatchObject({ error: { type: openai } });
    expect(JSON.parse(renderRefusal('anthropic', plain(status)).body)).toMatchObject({ error: { type: anthropic } });
    expect(JSON.parse(renderRefusal('gemini', plain(status)).body)).toMatchObject({
      error: { status: google, code: status },
    });
  });
});

describe('renderStreamEnd', () => {
  const end = { code: 'upstream_timeout', message: 'line\nbreak "and" quotes' };

  it.each(FORMATS)('ends a %s stream with one event that holds the error', (format) => {
    const text = renderStreamEnd(format, end);
    expect(text.startsWith('\n\n')).toBe(true);
    expect(text.endsWith('\n\n')).toBe(true);
    const lines = text.trim().split('\n');
    const data = lines.filter((line) => line.startsWith('data: '));
    expect(data).toHaveLength(1);
    expect(JSON.stringify(JSON.parse(data[0]?.slice(6) ?? ''))).toContain(JSON.stringify(end.message));
    expect(lines.length).toBe(format === 'anthropic-messages' || format === 'openai-responses' ? 2 : 1);
  });
});
