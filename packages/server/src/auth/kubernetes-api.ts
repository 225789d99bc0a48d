/**
 * One question to the API server: a TokenReview. Plain HTTPS with the cluster's own authority; the token of our own
 * ServiceAccount is read anew for each question, since the kubelet replaces it.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export interface KubernetesApiDeps {
  /** `https://host:port` */
  readonly url: string;
  readonly tokenFile: string;
  readonly caFile: string;
  /** Milliseconds for the whole answer. */
  readonly timeoutMs: number;
}

export interface KubernetesApi {
  /** The parsed answer. Throws where none came in time, or it is none of success. */
  post(path: string, body: unknown): Promise<unknown>;
  close(): void;
}

/** A review's answer is some hundred bytes: groups and extra fields of one account. */
const MAX_ANSWER = 1 << 20;

export class KubernetesUnavailable extends Error {
  readonly code = 'kubernetes_unavailable';

  /** `doing` names no token: it goes to the log. */
  constructor(doing: string, options?: ErrorOptions) {
    super(`the API server did not answer: ${doing}`, options);
    this.name = 'KubernetesUnavailable';
  }
}

/** Throws where the authority cannot be read: a wrong setting. The token may come later. */
export const makeKubernetesApi = ({ url, tokenFile, caFile, timeoutMs }: KubernetesApiDeps): KubernetesApi => {
  const base = new URL(url);
  let ca = readFileSync(caFile, 'utf8');
  let agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo', ca });

  /** The cluster's authority is replaced too, every few years, by another file under the same name. */
  const agentNow = (): Agent => {
    const now = readFileSync(caFile, 'utf8');
    if (now === ca) return agent;
    agent.destroy();
    ca = now;
    agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo', ca });
    return agent;
  };

  const ask = (path: string, body: string): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({
        agent: agentNow(),
        method: 'POST',
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        path: `${base.pathname.replace(/\/$/, '')}${path}`,
        headers: {
          authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`,
          accept: 'application/json',
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        },
      });
      const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${String(timeoutMs)} ms`)), timeoutMs);
      const fail = (cause: Error): void => {
        clearTimeout(timer);
        reject(cause);
      };
      sent.once('error', fail);
      sent.once('response', (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_ANSWER) sent.destroy(new Error('the answer is too large'));
        });
        answer.once('error', fail);
        answer.once('close', () => fail(new Error('the connection closed within the answer')));
        answer.once('end', () => {
          clearTimeout(timer);
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      sent.end(body);
    });

  return {
    post: async (path, body) => {
      const text = JSON.stringify(body);
      let answer;
      try {
        answer = await ask(path, text).catch((cause: unknown) => {
          // A kept connection may be closed just as it is used.
          if (!isStale(cause)) throw cause;
          return ask(path, text);
        });
      } catch (cause) {
        throw new KubernetesUnavailable(`POST ${path}`, { cause });
      }
      if (answer.status < 200 || answer.status > 299) {
        throw new KubernetesUnavailable(`POST ${path}: status ${String(answer.status)}`);
      }
      try {
        return JSON.parse(answer.text) as unknown;
      } catch {
        // Its text may hold the token that was asked about.
        throw new KubernetesUnavailable(`POST ${path}: the answer is no JSON`);
      }
    },
    close: () => {
      agent.destroy();
    },
  };
};

const isStale = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
