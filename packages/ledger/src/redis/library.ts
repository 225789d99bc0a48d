import { createHash } from 'node:crypto';
import { LUA } from './library-text.ts';

/**
 * The functions as one library for FUNCTION LOAD. Its version is `<dialect>.<hash of the code>`: the name carries it, so
 * a library is never replaced in place, and two versions of Tollgate may each have theirs in one Redis.
 */
export interface Library {
  readonly version: string;
  readonly payload: string;
}

/** What is said to a function and what it answers. Raise it with every change that an older server would not understand. */
export const DIALECT = 1;

/** What the functions share, in the order in which it is needed. */
const PRELUDE = ['now', 'numbers', 'fence', 'counter', 'replies'] as const;

export const FUNCTIONS = [
  'admit',
  'beat',
  'close',
  'drain',
  'forget',
  'giveback',
  'isopen',
  'lease',
  'load',
  'open',
  'page',
  'refunded',
  'selftest',
  'settled',
  'sweep',
] as const satisfies readonly (keyof typeof LUA)[];

export type FunctionName = (typeof FUNCTIONS)[number];

/** `now`: another source of the time, for tests that move it. */
export const makeLibrary = (replaced: { readonly now?: string } = {}): Library => {
  const files: Readonly<Record<keyof typeof LUA, string>> = { ...LUA, ...replaced };
  const code = [...PRELUDE, ...FUNCTIONS].map((name) => withoutComments(files[name])).join('\n');
  const registers = FUNCTIONS.map((name) => ({ name, flags: flagsOf(files[name]) }));
  const hash = createHash('sha256').update(code).update(JSON.stringify(registers)).digest('hex').slice(0, 12);
  const version = `${String(DIALECT)}.${hash}`;
  const registrations = registers.map(
    ({ name, flags }) =>
      `redis.register_function{ function_name = '${functionName(version, name)}', callback = ${name}, flags = { ${flags
        .map((flag) => `'${flag}'`)
        .join(', ')} } }`,
  );
  return {
    version,
    payload: `#!lua name=${libraryName(version)}\n${code}\n${registrations.join('\n')}\n`,
  };
};

/** Redis takes letters, digits and underscores. */
const libraryName = (version: string): string => `tollgate_${version.replace('.', '_')}`;

/** Functions share one namespace over all libraries, so their names carry the version too. */
export const functionName = (version: string, name: FunctionName): string => `${libraryName(version)}_${name}`;

/** Whole lines: the version is that of the code, and Redis keeps no prose. */
const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('--'))
    .join('\n');

const flagsOf = (text: string): readonly string[] => /^-- flags: (.+)$/m.exec(text)?.[1]?.split(', ') ?? [];
