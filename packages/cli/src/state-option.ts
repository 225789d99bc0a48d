/** `--state`, else TOLLGATE_STATE, else where XDG puts a user's state. */
import { join, resolve } from 'node:path';
import type { Io } from './io.ts';

export const stateDirFrom = (option: string | undefined, { env, home }: Pick<Io, 'env' | 'home'>): string =>
  resolve(
    option ?? (env['TOLLGATE_STATE'] || join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'tollgate')),
  );
