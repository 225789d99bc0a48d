/** One question to the management API. Every way it can fail has a line that says so and a line that says what to do. */
import { CliError, EXIT } from '../cli-error.ts';
import { START_IT } from './find-server.ts';
import type { ServerAddress } from './find-server.ts';

const ANSWER_MS = 10_000;

/** The parsed answer; null where the server knows nothing of that name (404). */
export const askServer = async ({ url, token }: ServerAddress, path: string): Promise<unknown> => {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new CliError(`the server at ${url} does not answer`, { todo: START_IT, exitCode: EXIT.unavailable, cause });
  }
  if (response.status === 404) return null;
  if (response.status === 401 || response.status === 403) {
    throw new CliError(`the server at ${url} does not accept this token`, {
      todo: 'each start of `tollgate serve` makes a new one: use the same --state DIR as the running one',
      exitCode: EXIT.usage,
    });
  }
  if (!response.ok) {
    throw new CliError(`the server answered ${response.status}: ${messageOf(text)}`, {
      todo: 'see what `tollgate serve` printed; its log says more',
      exitCode: response.status === 503 ? EXIT.unavailable : EXIT.failed,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError(`the server at ${url} did not answer in JSON`, {
      todo: 'check that --server names a Tollgate server and not the proxy',
      cause,
    });
  }
};

const messageOf = (text: string): string => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'error' in value) {
      const { error } = value;
      if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
    }
  } catch {
    // Not JSON: the text itself is all there is.
  }
  return text.slice(0, 200);
};
