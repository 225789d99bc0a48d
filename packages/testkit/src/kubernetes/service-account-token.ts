/** A token as the kubelet would get it for a pod: by TokenRequest. */
import type { AskApi } from './api-request.ts';

export interface TokenWish {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audiences?: readonly string[];
  readonly pod?: { readonly name: string; readonly uid: string };
  /** 600 at the least. */
  readonly expirationSeconds?: number;
}

export const requestToken = async (request: AskApi, wish: TokenWish): Promise<string> => {
  const { namespace, serviceAccount, audiences = [], pod, expirationSeconds = 3_600 } = wish;
  const { status, body } = await request(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`, {
    method: 'POST',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences,
        expirationSeconds,
        ...(pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }),
      },
    },
  });
  if (status !== 201) throw new Error(`no token for ${namespace}/${serviceAccount}: ${JSON.stringify(body)}`);
  return (body as { readonly status: { readonly token: string } }).status.token;
};
