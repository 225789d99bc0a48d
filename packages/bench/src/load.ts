/** The three loads, each bounded in count and time. Latencies count from the intended send time, so that a stall is not hidden. */
import { Agent, request } from 'node:http';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Endpoint {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const CHAT_BODY = JSON.stringify({
  model: 'gpt-4o-mini',
  max_tokens: 200,
  messages: [{ role: 'user', content: `Say something about toll gates. ${'word '.repeat(120)}` }],
});

/** Closed loop by wrk: requests per second at a number of connections. */
export const closedLoop = async (
  endpoint: Endpoint,
  connections: number,
  seconds: number,
  dir: string,
): Promise<{ readonly perSecond: number; readonly requests: number; readonly errors: number }> => {
  const script = join(dir, 'post.lua');
  const headers = Object.entries({ 'Content-Type': 'application/json', ...endpoint.headers });
  writeFileSync(
    script,
    `wrk.method="POST"\nwrk.body=[[${CHAT_BODY}]]\n${headers.map(([name, value]) => `wrk.headers["${name}"]="${value}"`).join('\n')}\n`,
  );
  const url = `http://127.0.0.1:${String(endpoint.port)}${endpoint.path}`;
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      'wrk',
      ['-t1', `-c${String(connections)}`, `-d${String(seconds)}s`, '-s', script, url],
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(new Error('wrk failed', { cause: error }));
      },
    );
  });
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? NaN),
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    errors:
      Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0) +
      (/Socket errors: (.+)/.exec(text)?.[1]?.match(/\d+/g) ?? []).reduce((sum, count) => sum + Number(count), 0),
  };
};

/** wrk takes no others. */
export const wholeSeconds = (seconds: number): number => Math.max(1, Math.round(seconds));

/** Open loop: a steady rate, one request each interval whatever became of the last. Microseconds from the intended time. */
export const openLoop = async (
  endpoint: Endpoint,
  perSecond: number,
  seconds: number,
): Promise<{ readonly latencies: number[]; readonly errors: number }> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const latencies: number[] = [];
  let errors = 0;
  const total = perSecond * seconds;
  const started = performance.now();
  const calls: Promise<void>[] = [];
  for (let i = 0; i < total; i += 1) {
    const intended = started + (i * 1000) / perSecond;
    const wait = intended - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    calls.push(
      post(endpoint, CHAT_BODY, agent).then(
        () => void latencies.push((performance.now() - intended) * 1000),
        () => void (errors += 1),
      ),
    );
  }
  await Promise.all(calls);
  agent.destroy();
  return { latencies, errors };
};

export interface StreamResult {
  readonly errors: number;
  readonly chunks: number;
  /** Milliseconds from sending to the first byte of the body. */
  readonly firstByte: number[];
}

/** So many streams at once, each of so many chunks, so many milliseconds apart. */
export const streams = async (
  endpoint: Endpoint,
  count: number,
  chunks: number,
  gapMs: number,
): Promise<StreamResult> => {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const body = JSON.stringify({
    model: 'gpt-4o-mini',
    max_tokens: 2000,
    stream: true,
    messages: [{ role: 'user', content: `bench-${String(chunks)}-${String(gapMs)}` }],
  });
  const firstByte: number[] = [];
  let errors = 0;
  let seen = 0;
  await Promise.all(
    Array.from({ length: count }, () => {
      const sent = performance.now();
      let first = true;
      return post(endpoint, body, agent, (text) => {
        if (first) firstByte.push(performance.now() - sent);
        first = false;
        seen += text.split('data: ').length - 1;
      }).then(
        (text) => void (text.includes('[DONE]') ? 0 : (errors += 1)),
        () => void (errors += 1),
      );
    }),
  );
  agent.destroy();
  return { errors, chunks: seen, firstByte };
};

const post = (endpoint: Endpoint, body: string, agent: Agent, onData?: (text: string) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        path: endpoint.path,
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...endpoint.headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          onData?.(piece);
          text = onData === undefined ? '' : piece;
        });
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(text) : reject(new Error(`status ${String(answer.statusCode)}`)),
        );
        answer.on('error', reject);
      },
    );
    outgoing.setTimeout(60_000, () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', reject).end(body);
  });
