/** Asks the API server as the pod's ServiceAccount. Says what was refused and why. */
import { readFile } from 'node:fs/promises';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * @param {{ url?: string, tokenFile?: string }} [where] Of the cluster that the pod runs in, unless told otherwise.
 */
export const makeKubeApi = ({ url = 'https://kubernetes.default.svc', tokenFile = `${ACCOUNT}/token` } = {}) => {
  /** Answers of the `known` statuses are returned; any other one throws. */
  const ask = async (method, path, { body, type = 'application/json', known = [] } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const answer = await response.json();
    if (response.ok || known.includes(response.status)) return { status: response.status, answer };
    throw new Error(`${method} ${path}: ${String(response.status)} ${String(answer.message)}`);
  };
  return { ask };
};
