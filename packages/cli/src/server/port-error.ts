/** A port that cannot be listened on, said in words. Other faults pass as they are. */
import { CliError, EXIT } from '../cli-error.ts';

export const portError = (
  error: unknown,
  { port, what, setting }: { readonly port: number; readonly what: string; readonly setting: string },
): unknown => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return error;
  const why = code === 'EADDRINUSE' ? 'is in use by another process' : 'may not be used by this user';
  return new CliError(`port ${port}, wanted for ${what}, ${why}`, {
    todo: `choose another port with ${setting} PORT`,
    exitCode: EXIT.usage,
    cause: error,
  });
};
