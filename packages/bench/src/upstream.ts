/**
 * The upstream that every target is measured against, as a process of its own: raw sockets and prepared bytes, so that it
 * is never the slowest part. `POST …` answers 1 KB of chat completion; with `"stream":true` it sends paced SSE chunks,
 * each carrying the time it was sent at. Prints its port, then serves until its standard input closes.
 */
import { createServer, type Socket } from 'node:net';

const ANSWER_BYTES = 1024;
const usage = { prompt_tokens: 20, completion_tokens: 150, total_tokens: 170 };

const answerBody = (): string => {
  const shell = (content: string): string =>
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1,
      model: 'gpt-4o-mini-2024-07-18',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage,
    });
  return shell('x'.repeat(ANSWER_BYTES - shell('').length));
};

const body = answerBody();
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
);
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

const chunked = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const delta = (): string => {
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, delta: { content: ' word'.repeat(20) }, finish_reason: null }],
    usage: null,
    sentAt: performance.timeOrigin + performance.now(),
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
};

const LAST = `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini-2024-07-18', choices: [], usage })}\n\ndata: [DONE]\n\n`;

/** Chunks and milliseconds between them come in the model's name: `bench-50-100`; 0 ms = as fast as the socket takes them. */
const stream = (socket: Socket, request: string): void => {
  const [, chunks = '50', gap = '100'] = /bench-(\d+)-(\d+)/.exec(request) ?? [];
  let left = Number(chunks);
  socket.write(STREAM_HEAD);
  const end = (): void => void socket.write(`${chunked(LAST)}0\r\n\r\n`);
  const pump = (): void => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(chunked(delta()))) return void socket.once('drain', pump);
    }
    end();
  };
  if (gap === '0') return pump();
  const step = (): void => {
    if (left === 0) return end();
    left -= 1;
    socket.write(chunked(delta()));
    setTimeout(step, Number(gap));
  };
  step();
};

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
    for (;;) {
      const headEnd = pending.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = pending.toString('latin1', 0, headEnd);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const total = headEnd + 4 + length;
      if (pending.length < total) return;
      const request = pending.toString('latin1', headEnd + 4, total);
      pending = pending.subarray(total);
      if (request.includes('"stream":true')) stream(socket, request);
      else socket.write(ANSWER);
    }
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${String(typeof address === 'object' && address !== null ? address.port : 0)}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
