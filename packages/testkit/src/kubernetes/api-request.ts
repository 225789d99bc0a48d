/** One request to an API server, by client certificate or by bearer token: for tests that have no client of their own. */
import { request as httpsRequest } from 'node:https';
import type { KeyAndCertificate } from './certificates.ts';

export interface ApiAnswer {
  readonly status: number;
  /** Parsed where it is JSON, else its text. */
  readonly body: unknown;
}

export interface ApiRequest {
  readonly method?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** `application/json` unless said: a patch names its kind here, a manifest is `application/yaml`. */
  readonly contentType?: string;
  /** Asks as the bearer of it, and not as the administrator. */
  readonly token?: string;
}

export interface ApiEndpoint {
  readonly url: string;
  readonly caPem: string;
  readonly identity: KeyAndCertificate;
}

export const requestApi = (endpoint: ApiEndpoint, path: string, options: ApiRequest = {}): Promise<ApiAnswer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', body, contentType = 'application/json', token } = options;
    const sent = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const request = httpsRequest(
      new URL(path, endpoint.url),
      {
        method,
        ca: endpoint.caPem,
        // A certificate would win over the token.
        ...(token === undefined ? { cert: endpoint.identity.certPem, key: endpoint.identity.keyPem } : {}),
        headers: {
          accept: 'application/json',
          ...(sent === null ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(sent) }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: parsed(text) });
        });
      },
    );
    request.once('error', reject);
    request.end(sent ?? undefined);
  });

/** Asks one API server as somebody in particular. */
export type AskApi = (path: string, options?: ApiRequest) => Promise<ApiAnswer>;

/** False also where nobody answers. */
export const answersOk = async (request: AskApi, path: string): Promise<boolean> => {
  const answer = await request(path).catch(() => null);
  return answer?.status === 200;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
