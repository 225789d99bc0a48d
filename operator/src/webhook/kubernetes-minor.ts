/** The version of the API server: below 1.29 a native sidecar would be an init container that never ends. */
import type { Logger } from '@tollgate/runtime';
import { readText } from '../kube/answer-body.ts';
import type { KubeConnection } from '../kube/kube-connection.ts';

/** 34 of `v1.34.4`; null where it cannot be asked, and then the pod is injected: older clusters hardly know `matchConditions`. */
export const askKubernetesMinor = async (
  connection: Pick<KubeConnection, 'send'>,
  log: Logger,
): Promise<number | null> => {
  try {
    const answer = await connection.send({
      what: 'get the version',
      method: 'GET',
      path: '/version',
      signal: AbortSignal.timeout(5_000),
    });
    return minorOf(await readText(answer));
  } catch (err) {
    log.warn({ err }, 'the version of the API server is not known');
    return null;
  }
};

/** `minor` is text, and with some vendors ends in `+`. */
export const minorOf = (body: string): number | null => {
  const [, minor] = /"minor"\s*:\s*"(\d{1,3})\D?"/.exec(body) ?? [];
  return minor === undefined ? null : Number(minor);
};
