/**
 * Our own small model of the common design of a budget gate: read what was spent, compare it with the limit, forward, and
 * add what the answer cost once it is known. It is a generous one: its prices are exact, and nothing it knows is late.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NanoUsd } from '@tollgate/metering';

export interface CheckThenAddOptions {
  readonly limit: NanoUsd;
  /** Base URL of the provider. */
  readonly upstream: string;
  /** What the provider bills for an answer, of which this is the text. */
  readonly costOf: (answer: string) => NanoUsd;
}

export interface CheckThenAdd {
  readonly url: string;
  spent(): NanoUsd;
  close(): Promise<void>;
}

export const startCheckThenAdd = async ({ limit, upstream, costOf }: CheckThenAddOptions): Promise<CheckThenAdd> => {
  let spent = 0n;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (spent >= limit) return refuse(response);
    const answer = await fetch(upstream + (request.url ?? ''), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...mockHeaders(request) },
      body,
    });
    const text = await answer.text();
    // The whole of the flaw: between the comparison above and this line, others have been let through.
    if (answer.ok) spent += costOf(text);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((cause: unknown) => {
      response.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spent: () => spent,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

const readBody = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += String(piece);
  return text;
};

/** What the mock provider is told about a call; Tollgate's proxy hands it on too. */
const mockHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith('x-mock-') ? [[name, String(value)]] : [])),
  );

const refuse = (response: ServerResponse): void => {
  response
    .writeHead(429, { 'content-type': 'application/json', 'x-should-retry': 'false' })
    .end(JSON.stringify({ error: { code: 'budget_exhausted', message: 'the limit is reached' } }));
};
