/** One question to the management API. Every way it can fail has a line that says so and a line that says what to do. */
import { CliError, EXIT } from '../cli-error.ts';
import type { ServerAddress } from './find-server.ts';
import { wordsOfAddress } from './server-words.ts';

const ANSWER_MS = 10_000;
/** There is no such thing, though there is such a place. */
const UNKNOWN = ['unknown_request', 'unknown_unresolved', 'unknown_instance'];

/** By the code of a refusal that has a way round it. */
const WAYS_ROUND: ReadonlyMap<string, string> = new Map([
  ['instance_connected', 'stop the proxy first, then it closes its leases itself; or give it up all the same: --force'],
]);

/** The parsed answer; null where the server knows nothing of that name. With a body it is told, and not only asked. */
export const askServer = async (
  { url, token, words = wordsOfAddress(url) }: ServerAddress,
  path: string,
  body?: unknown,
): Promise<unknown> => {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new CliError(`${words.name} does not answer`, { todo: words.silent, exitCode: EXIT.unavailable, cause });
  }
  // The proxy refuses in JSON too, each time under a request's id.
  if (response.headers.has('x-tollgate-request-id')) throw notTollgate(url);
  const error = errorOf(text);
  if (response.status === 404 && UNKNOWN.includes(error?.code ?? '')) return null;
  if (response.status === 204) return {};
  // Tollgate redirects nobody, says in JSON what it refuses, and serves all that is asked of it here.
  if ((!response.ok && response.status < 500 && error === null) || response.status === 404) throw notTollgate(url);
  if (response.status === 401 || response.status === 403) {
    const { message, todo } = words.refused(response.status, error?.message ?? '');
    throw new CliError(message, { todo, exitCode: EXIT.usage });
  }
  if (!response.ok) {
    throw new CliError(`the server answered ${response.status}: ${error?.message ?? text.slice(0, 200)}`, {
      todo: WAYS_ROUND.get(error?.code ?? '') ?? words.faulty,
      exitCode: response.status === 503 ? EXIT.unavailable : EXIT.failed,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notTollgate(url, cause);
  }
};

const notTollgate = (url: string, cause?: unknown): CliError =>
  new CliError(`${url} answers, but is not a Tollgate server`, {
    todo: 'check the URL: `tollgate serve` has its server on port 4180, the proxy and its metrics are others',
    exitCode: EXIT.usage,
    cause,
  });

/** `{"error": {"code", "message"}}`, as every refusal of a Tollgate server is. */
const errorOf = (text: string): { readonly code: string; readonly message: string } | null => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('error' in value)) return null;
    const { error } = value;
    if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return null;
    return { code: String(error.code), message: String(error.message) };
  } catch {
    return null;
  }
};
