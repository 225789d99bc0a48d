/**
 * Provider keys that a route names: from `<dir>/<name>/<key>` (as kubelet mounts a Secret) or from
 * `TOLLGATE_SECRET_<NAME>_<KEY>`. Read at each use, with a short memory, so that a rotated Secret takes effect.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Secrets {
  /** Null where it cannot be read. */
  find(name: string, key: string): string | null;
}

export interface SecretsDeps {
  readonly dir: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => number;
}

const REMEMBERED_MS = 5_000;
/** Names of Kubernetes objects and Secret keys; no path in either. */
const SAFE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

export const secretVariable = (name: string, key: string): string =>
  `TOLLGATE_SECRET_${name}_${key}`.toUpperCase().replace(/[^A-Z0-9]/g, '_');

export const makeSecrets = ({ dir, env, clock }: SecretsDeps): Secrets => {
  const memory = new Map<string, { readonly value: string | null; readonly until: number }>();

  const load = (name: string, key: string): string | null => {
    if (!SAFE.test(name) || !SAFE.test(key)) return null;
    if (dir !== null) {
      try {
        const text = readFileSync(join(dir, name, key), 'utf8').trim();
        if (text !== '') return text;
      } catch {
        // Not mounted: the variable may still say it.
      }
    }
    return env[secretVariable(name, key)] ?? null;
  };

  return {
    find(name, key) {
      const id = `${name}/${key}`;
      const known = memory.get(id);
      if (known !== undefined && known.until > clock()) return known.value;
      const value = load(name, key);
      memory.set(id, { value, until: clock() + REMEMBERED_MS });
      return value;
    },
  };
};
