/** Provider keys on a laptop: `DIR/<name>/<key>` or `TOLLGATE_SECRET_<NAME>_<KEY>`. Here only whether one can be read: the proxy reads it. */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SecretName {
  readonly name: string;
  readonly key: string;
}

export interface SecretSources {
  readonly dir: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type SecretLookup = { readonly found: true } | { readonly found: false; readonly grant: string };

/** `openai`, `api-key` → `TOLLGATE_SECRET_OPENAI_API_KEY` */
export const secretVariable = ({ name, key }: SecretName): string =>
  `TOLLGATE_SECRET_${asVariable(name)}_${asVariable(key)}`;

/** Whether the proxy can read the key, else the one thing that grants it. */
export const lookUpSecret = ({ dir, env }: SecretSources, secret: SecretName): SecretLookup => {
  const variable = secretVariable(secret);
  if ((env[variable] ?? '') !== '') return { found: true };
  const file = dir === null ? null : secretFile(dir, secret);
  if (file !== null && isReadable(file)) return { found: true };
  const restart = 'and start `tollgate serve` again';
  return {
    found: false,
    grant:
      file === null
        ? `export ${variable}=… ${restart}, or serve with --secrets DIR and write DIR/${secret.name}/${secret.key}`
        : `write the key to ${file}, or export ${variable}=… ${restart}`,
  };
};

/** For the mock provider: every key that a route names exists and is worthless. */
export const writeMockSecrets = (dir: string, secrets: readonly SecretName[]): void => {
  for (const secret of secrets) {
    const file = secretFile(dir, secret);
    if (file === null || isReadable(file)) continue;
    mkdirSync(join(dir, secret.name), { recursive: true, mode: 0o700 });
    writeFileSync(file, 'mock-key-worth-nothing', { mode: 0o600 });
  }
};

/** Null where a name would leave the directory. */
const secretFile = (dir: string, { name, key }: SecretName): string | null =>
  isPlain(name) && isPlain(key) ? join(dir, name, key) : null;

const isPlain = (part: string): boolean => /^[A-Za-z0-9][\w.-]*$/.test(part);

const isReadable = (file: string): boolean => {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isFile() && statSync(file).size > 0;
  } catch {
    return false;
  }
};

const asVariable = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9]/g, '_');
