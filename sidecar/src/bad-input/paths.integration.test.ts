/** Bad input, third theme: paths that two readers could take for different ones (reliability.md 4.3). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '@tollgate/testkit';
import { aSnapshot } from '../testing/objects.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { rawCall } from '../testing/raw-call.ts';

let harness: Harness;

beforeAll(async () => {
  // No budget binds: an unknown path would be passed on, if these were taken for one.
  harness = await startHarness({ snapshot: aSnapshot({ budgets: [] }) });
});

afterAll(() => harness.stop());

const ADMIN = ['/metrics', '/livez', '/readyz', '/healthz', '/startupz'];

const ODD = [
  ...[
    '//v1/..%2fadmin',
    '//openai/v1/chat/completions',
    '/openai//v1/chat/completions',
    '/openai/v1//chat/completions',
  ],
  ...['/openai/v1/chat/completions/', '/openai/v1/../metrics', '/openai/v1/./chat/completions', '/openai/../metrics'],
  ...[
    '/openai/v1/%2e%2e/metrics',
    '/openai/v1/%2E%2E/%2E%2E/metrics',
    '/openai/v1/..%2f..%2fmetrics',
    '/openai/v1/%252e%252e/metrics',
  ],
  ...[
    '/openai/v1/chat%2fcompletions',
    '/openai/v1/chat/completion%73',
    '/openai/v1/chat/completions;x',
    '/openai/v1;x/chat/completions',
  ],
  ...[
    '/openai/v1/chat/completions;jsessionid=1?x=2',
    '/openai/v1/chat/completions%00',
    '/openai/v1/%00',
    '/openai/v1/chat/completions%0d%0ax:y',
  ],
  ...[
    '/openai\\v1\\chat\\completions',
    '/openai/v1/chat\\completions',
    '/..\\metrics',
    '/openai/v1/chat/completions%5c',
  ],
  ...[
    '/OPENAI/v1/chat/completions',
    '/openai/V1/chat/completions',
    '/openai/v1/Chat/Completions',
    '/OpenAI/V1/CHAT/COMPLETIONS',
  ],
  ...[
    '/openai/v1/chat/completions\u00e9',
    '/openai/v1/chat/completions?q=\u00ff',
    '/%6fpenai/v1/chat/completions',
    '/v1/messages%20',
  ],
  ...[
    '/v1/messagesx/..',
    '/gemini/v1beta/models/gemini-2.5-pro%3AgenerateContent',
    '/gemini/v1beta/models/../models/x:generateContent',
  ],
  ...['/', '/openai', '/admin', '/openaiv1/chat/completions', '/../../etc/passwd', `/${'a/'.repeat(2_000)}`],
];

describe('a path that is not plain', () => {
  it.each([...ODD, ...ADMIN].map((target) => [target.length > 60 ? `${target.slice(0, 60)}…` : target, target]))(
    'row 12: has no meaning: %s',
    async (_shown, target) => {
      for (const method of ['POST', 'GET']) {
        const answer = await sendRaw(
          harness.url,
          rawCall({
            method,
            target,
            ...(method === 'GET' ? { without: ['content-length', 'content-type'], body: '' } : {}),
          }),
        );
        // Node's parser itself refuses some bytes in a target with 400.
        expect([400, 404]).toContain(answer.status);
        expect(answer.body.toString()).not.toContain('tollgate_calls_total');
      }
      expect(harness.mock.log).toHaveLength(0);
    },
  );

  it('row 12: answers 404 in so many words, and 405 to a method that a known path does not have', async () => {
    const unknown = await sendRaw(harness.url, rawCall({ target: '/openai/v1/../metrics' }));
    const wrong = await sendRaw(harness.url, rawCall({ method: 'PUT', target: '/openai/v1/chat/completions' }));
    expect([unknown.status, wrong.status]).toEqual([404, 405]);
    expect(JSON.parse(unknown.body.toString())).toMatchObject({ error: { code: 'not_found' } });
  });
});
