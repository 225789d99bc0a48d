import { expect, it } from '@jest/globals';
import { sendRaw } from './raw-http.ts';
import { MALFORMED_ANSWERS, startRawUpstream } from './raw-upstream.ts';

it('hands over the request and sends the very bytes it was told to', async () => {
  const upstream = await startRawUpstream(async ({ write, end }) => {
    await write('HTTP/1.1 200 OK\r\nx-odd: \u00ff\r\nx-odd: b\r\n\r\nhello');
    end();
  });
  const answer = await sendRaw(upstream.url, ['POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n', 'bo', 'dy'], {
    pauseMs: 2,
  });
  expect(answer).toMatchObject({ status: 200, headers: { 'x-odd': 'ÿ, b' } });
  expect(answer.body.toString()).toBe('hello');
  expect(upstream.requests).toEqual(['POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody']);
  await upstream.stop();
});

it('reads chunked and pipelined requests one by one', async () => {
  const upstream = await startRawUpstream(async ({ write }) => write('HTTP/1.1 204 No Content\r\n\r\n'));
  const chunked = 'POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n';
  await sendRaw(upstream.url, chunked + 'GET /b HTTP/1.1\r\n\r\n', { timeoutMs: 100 });
  expect(upstream.requests).toEqual([chunked, 'GET /b HTTP/1.1\r\n\r\n']);
  await upstream.stop();
});

it('resets where a test asks for a reset', async () => {
  const upstream = await startRawUpstream(({ reset }) => reset());
  expect(await sendRaw(upstream.url, 'GET / HTTP/1.1\r\n\r\n')).toMatchObject({ status: 0, text: '' });
  await upstream.stop();
});

it.each(Object.keys(MALFORMED_ANSWERS))(
  'has an answer with %s that Node’s own client does not take for a good one',
  async (name) => {
    const handler = MALFORMED_ANSWERS[name];
    if (handler === undefined) throw new Error(name);
    const upstream = await startRawUpstream(handler);
    const reading = fetch(upstream.url, { signal: AbortSignal.timeout(300) }).then(
      async (response) => `${response.status} ${await response.text()}`,
    );
    await expect(reading).rejects.toThrow();
    await upstream.stop();
  },
);
