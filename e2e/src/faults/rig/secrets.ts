/** The secrets of a round: each is a canary, and none of them may ever be found in what the processes write. */
import { randomBytes } from 'node:crypto';

export interface RigSecrets {
  /** Of the ledger API, in a file. */
  readonly token: string;
  /** What the callers send to the provider. */
  readonly providerKey: string;
  /** What a route's credential holds, in a file. */
  readonly routeKey: string;
  /** Inside every prompt. */
  readonly prompt: string;
  readonly postgres: string;
  readonly redis: string;
}

const LENGTH = 24;

export const makeSecrets = (): RigSecrets => {
  const secret = (prefix: string): string => `${prefix}${randomBytes(LENGTH).toString('hex')}`;
  return {
    token: secret('tg-'),
    providerKey: secret('sk-'),
    routeKey: secret('rk-'),
    prompt: secret(''),
    postgres: secret('pw'),
    redis: secret('pw'),
  };
};
