/** Where this user's files lie, by the rules of XDG. */
import { join, resolve } from 'node:path';
import type { Io } from './io.ts';

/** `--state`, else TOLLGATE_STATE, else below the user's state. */
export const stateDirFrom = (option: string | undefined, { env, home }: Pick<Io, 'env' | 'home'>): string =>
  resolve(
    option ?? (env['TOLLGATE_STATE'] || join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'tollgate')),
  );

/** The directory where it is not the one that a command finds with no option and no variable, else null. */
export const namedStateDir = (option: string | undefined, { env, home }: Pick<Io, 'env' | 'home'>): string | null => {
  const dir = stateDirFrom(option, { env, home });
  return dir === stateDirFrom(undefined, { env: { ...env, TOLLGATE_STATE: undefined }, home }) ? null : dir;
};

/** For what may be made again at any time. */
export const cacheDirFrom = ({ env, home }: Pick<Io, 'env' | 'home'>): string =>
  resolve(join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'tollgate'));
