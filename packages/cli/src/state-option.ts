/** Where this user's files lie, by the rules of XDG. */
import { join, resolve } from 'node:path';
import type { Io } from './io.ts';

/** `--state`, else TOLLGATE_STATE, else below the user's state. */
export const stateDirFrom = (option: string | undefined, { env, home }: Pick<Io, 'env' | 'home'>): string =>
  resolve(
    option ?? (env['TOLLGATE_STATE'] || join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'tollgate')),
  );

/** For what may be made again at any time. */
export const cacheDirFrom = ({ env, home }: Pick<Io, 'env' | 'home'>): string =>
  resolve(join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'tollgate'));
