/** One keep-alive connection pool to the server. Each question is answered, refused, or `LedgerUnavailable`. */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { readErrorBody } from '../wire/session-wire.ts';
import { WireFault } from '../wire/wire-fault.ts';

export interface LedgerClient {
  /** Sends JSON and reads the whole answer. */
  post<T>(path: string, body: string | Buffer, timeoutMs: number, read: (body: string) => T): Promise<T>;
  /** Opens a long answer; the signal ends it, whenever it comes. */
  stream(path: string, timeoutMs: number, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

export interface LedgerClientDeps {
  readonly serverUrl: string;
  /** Asked for each question, since the kubelet renews it. */
  readonly token: () => string;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body: string | Buffer | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
}

/** No answer to a question is larger; a stream has its own bound a line. */
const MAX_ANSWER = 8 << 20;

export const makeLedgerClient = ({ serverUrl, token }: LedgerClientDeps): LedgerClient => {
  const base = new URL(serverUrl);
  const isTls = base.protocol === 'https:';
  const Agent = isTls ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: true, maxSockets: 16, scheduling: 'lifo' });
  // A gateway has a stream for each of its callers, and these must leave room for questions.
  const streams = new Agent({ keepAlive: false });
  const request = isTls ? httpsRequest : httpRequest;
  const prefix = base.pathname.replace(/\/$/, '');

  const open = (
    method: string,
    path: string,
    body: string | Buffer | null,
    signal: AbortSignal | null,
  ): ClientRequest =>
    request({
      agent: signal === null ? agent : streams,
      ...(signal === null ? {} : { signal }),
      method,
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      path: `${prefix}${path}`,
      headers: {
        authorization: `Bearer ${token()}`,
        accept: 'application/json, application/x-ndjson',
        ...(body === null
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      },
    });

  const ask = (question: Question): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, path, body, timeoutMs, signal } = question;
      const sent = open(method, path, body, signal);
      const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${String(timeoutMs)} ms`)), timeoutMs);
      sent.once('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      sent.once('error', (cause) => {
        clearTimeout(timer);
        reject(
          isStale(sent, cause) ? new StaleConnection('the server had closed an idle connection', { cause }) : cause,
        );
      });
      sent.end(body ?? undefined);
    });

  /** A kept connection may be closed just as it is used; every question may be asked twice, so it is, once. */
  const askTwice = async (question: Question): Promise<IncomingMessage> => {
    try {
      return await ask(question);
    } catch (fault) {
      if (!(fault instanceof StaleConnection)) throw fault;
      return ask(question);
    }
  };

  const reach = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof LedgerRefused || cause instanceof LedgerUnavailable) throw cause;
      throw new LedgerUnavailable(doing, { cause });
    }
  };

  return {
    post: (path, body, timeoutMs, read) =>
      reach(`POST ${path}`, async () => {
        const answer = await askTwice({ method: 'POST', path, body, timeoutMs, signal: null });
        const text = await readAll(answer, timeoutMs);
        checkStatus(answer, text, path);
        return read(text);
      }),
    stream: (path, timeoutMs, signal) =>
      reach(`GET ${path}`, async () => {
        const answer = await askTwice({ method: 'GET', path, body: null, timeoutMs, signal });
        if (answer.statusCode !== 200) checkStatus(answer, await readAll(answer, timeoutMs), path);
        if (answer.statusCode !== 200) throw new WireFault('status', '200');
        return answer;
      }),
    close: () => {
      agent.destroy();
      streams.destroy();
    },
  };
};

class StaleConnection extends Error {}

const isStale = (sent: ClientRequest, cause: Error): boolean =>
  sent.reusedSocket && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');

const readAll = (answer: IncomingMessage, timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(
      () => answer.destroy(new Error(`the answer took over ${String(timeoutMs)} ms`)),
      timeoutMs,
    );
    const fail = (cause: Error): void => {
      clearTimeout(timer);
      reject(cause);
    };
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER) answer.destroy(new Error(`the answer is over ${String(MAX_ANSWER)} bytes`));
    });
    answer.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    answer.once('error', fail);
    answer.once('close', () => {
      fail(new Error('the connection closed within the answer'));
    });
  });

/** 5xx says that the ledger is not there now; 4xx that it is, and will not. Anything else below 200 or above is no ledger. */
const checkStatus = ({ statusCode = 0 }: IncomingMessage, body: string, path: string): void => {
  if (statusCode >= 200 && statusCode < 300) return;
  if (statusCode >= 400 && statusCode < 500) {
    const { code, message } = readErrorBody(body);
    throw new LedgerRefused(`${path}: ${message}`, statusCode, code);
  }
  throw new LedgerUnavailable(`${path}: status ${String(statusCode)}`);
};
