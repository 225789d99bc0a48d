/** The key that a backend's route names, as the header in which its provider reads it. */
import type { Candidate } from '../exchange.ts';
import type { Secrets } from './secrets.ts';

export interface Credential {
  readonly name: string;
  readonly value: string;
  readonly secret: string;
}

/** Null: the caller's own credential passes through. */
export const credentialOf = ({ backend, provider }: Candidate, secrets: Secrets): Credential | null | 'missing' => {
  if (backend?.credential === null || backend?.credential === undefined) return null;
  const secret = secrets.find(backend.credential.name, backend.credential.key);
  if (secret === null) return 'missing';
  switch (provider) {
    case 'openai':
      return { name: 'authorization', value: `Bearer ${secret}`, secret };
    case 'anthropic':
      return { name: 'x-api-key', value: secret, secret };
    case 'gemini':
      return { name: 'x-goog-api-key', value: secret, secret };
    case 'azure':
      return { name: 'api-key', value: secret, secret };
    default:
      return provider satisfies never;
  }
};

/** Servers of models in the cluster often want none; a provider always does. */
export const needsKey = ({ backend }: Candidate): boolean => backend?.provider !== 'OpenAICompatible';

export const missingKey = ({ route, backend }: Candidate): string =>
  `ModelRoute ${route?.namespace ?? ''}/${route?.name ?? ''}, backend "${backend?.name ?? ''}", names key "${backend?.credential?.key ?? ''}" of Secret ` +
  `"${backend?.credential?.name ?? ''}", which this proxy cannot read`;

/** For callers whose own credential is not forwarded. */
export const noKey = ({ route, backend, provider }: Candidate): string =>
  route === null
    ? `this gateway has no key of ${provider} for this model: a ModelRoute of the gateway's namespace has to name the model and a key`
    : `ModelRoute ${route.namespace}/${route.name}, backend "${backend?.name ?? ''}", names no key, and the gateway forwards none of its callers': ` +
      'give the backend a credentialsSecretRef';
