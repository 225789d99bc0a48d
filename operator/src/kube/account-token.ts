/** A short-lived token of a ServiceAccount (TokenRequest, authentication.k8s.io/v1), as `kubectl create token` gets it. */
import { readText } from './answer-body.ts';
import type { KubeConnection } from './kube-connection.ts';
import { faultOfAnswer, KubeFault } from './kube-fault.ts';
import { keyOf, type KubeKind } from './kube-object.ts';
import { objectPath } from './kube-path.ts';

export interface AccountTokenWish {
  readonly namespace: string;
  readonly name: string;
  /** Whom the token is for; nobody else takes it. */
  readonly audience: string;
  /** 600 at the least; the server may give another span. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

const SERVICE_ACCOUNTS: KubeKind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};

/** @throws KubeFault: 403 without the right to `create` on `serviceaccounts/token`, 404 where there is no such account. */
export const requestAccountToken = async (
  connection: Pick<KubeConnection, 'send'>,
  { namespace, name, audience, seconds, signal }: AccountTokenWish,
): Promise<string> => {
  const what = `ask for a token of ServiceAccount ${keyOf({ namespace, name })}`;
  const answer = await connection.send({
    what,
    method: 'POST',
    path: objectPath(SERVICE_ACCOUNTS, { namespace, name }, 'token'),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], expirationSeconds: seconds },
    }),
    signal,
  });
  const status = answer.statusCode ?? 0;
  const text = await readText(answer);
  if (status !== 201) throw faultOfAnswer(what, status, text, answer.headers['retry-after']);
  const token = tokenIn(text);
  if (token === null) throw new KubeFault({ status, reason: 'NoToken', message: `${what}: the answer holds no token` });
  return token;
};

const tokenIn = (text: string): string | null => {
  try {
    const { status } = JSON.parse(text) as { readonly status?: { readonly token?: unknown } };
    return typeof status?.token === 'string' && status.token !== '' ? status.token : null;
  } catch {
    return null;
  }
};
