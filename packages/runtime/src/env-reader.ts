/** Typed reads of the environment with all faults reported at once. For the proxy, which starts without zod. */
import { ConfigFault, type SettingFault } from './config-fault.ts';
import { parseListen, type ListenAddress } from './listen-address.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface EnvReader {
  /** A non-empty text; the default where unset or empty, and a fault where there is none. */
  text(name: string, fallback?: string): string;
  optionalText(name: string): string | null;
  /** A text that `accepts` takes; `expected` says in the fault what that is. */
  optionalMatch(name: string, expected: string, accepts: (text: string) => boolean): string | null;
  integer(name: string, range: { readonly min: number; readonly max: number; readonly fallback?: number }): number;
  /** `true`, `1`, `yes`, `on` and their contraries, in any case. */
  flag(name: string, fallback: boolean): boolean;
  oneOf<const T extends string>(name: string, choices: readonly T[], fallback?: T): T;
  /** An http or https URL, without a trailing slash. */
  url(name: string, fallback?: string): string;
  optionalUrl(name: string): string | null;
  /** One or more of them, separated by commas. */
  urls(name: string, fallback: string): readonly string[];
  /** `host:port`, `[::1]:port` or `:port`. */
  listen(name: string, fallback: string): ListenAddress;
  /** JSON that `check` turns into a value, or throws on. */
  json<T>(name: string, check: (value: unknown) => T, fallback: T): T;
  /** All variables whose names start so, by the rest of their names; for families such as `TOLLGATE_SECRET_*`. */
  family(prefix: string): Readonly<Record<string, string>>;
}

/**
 * Builds a process's settings. A faulty variable yields a placeholder, so that `build` goes on and the next fault is
 * found too; what it built is then thrown away and a {@link ConfigFault} names them all. No message quotes a value.
 *
 * @example
 * const settings = readEnv({ PORT: '80', VERBOSE: 'yes' }, (read) => ({
 *   port: read.integer('PORT', { min: 1, max: 65535 }),
 *   verbose: read.flag('VERBOSE', false),
 * })); // → { port: 80, verbose: true }
 */
export const readEnv = <T>(env: Env, build: (read: EnvReader) => T): T => {
  const faults: SettingFault[] = [];
  const built = build(makeEnvReader(env, faults));
  if (faults.length > 0) throw new ConfigFault(faults);
  return built;
};

const YES = new Set(['true', '1', 'yes', 'on']);
const NO = new Set(['false', '0', 'no', 'off']);

/** `true`/`false` for the words above, null for any other. Settings files use the same words. */
export const parseFlag = (text: string): boolean | null => {
  const word = text.trim().toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : null;
};

const makeEnvReader = (env: Env, faults: SettingFault[]): EnvReader => {
  const fault = (name: string, message: string): void => void faults.push({ name, message });
  const given = (name: string): string | null => {
    const value = env[name];
    return value === undefined || value === '' ? null : value;
  };

  /** The value parsed, the fallback where it is unset, or the placeholder after a noted fault. */
  const read = <T>(
    name: string,
    expected: string,
    parse: (text: string) => T | null,
    fallback: T | undefined,
    placeholder: T,
  ): T => {
    const text = given(name);
    if (text === null) {
      if (fallback !== undefined) return fallback;
      fault(name, `is not set; ${expected} is required`);
      return placeholder;
    }
    const value = parse(text);
    if (value !== null) return value;
    fault(name, `must be ${expected}`);
    return placeholder;
  };

  return {
    text: (name, fallback) => read(name, 'a text', (text) => text, fallback, ''),
    optionalText: given,
    optionalMatch: (name, expected, accepts) =>
      read<string | null>(name, expected, (text) => (accepts(text) ? text : null), null, null),
    integer: (name, { min, max, fallback }) =>
      read(name, `a whole number from ${min} to ${max}`, (text) => parseInteger(text, min, max), fallback, min),
    flag: (name, fallback) => read(name, 'true or false', parseFlag, fallback, fallback),
    oneOf: <const T extends string>(name: string, choices: readonly T[], fallback?: T): T => {
      const [first] = choices;
      if (first === undefined) throw new Error(`no choices for ${name}`);
      return read(
        name,
        `one of ${choices.join(', ')}`,
        (text) => choices.find((choice) => choice === text) ?? null,
        fallback,
        first,
      );
    },
    url: (name, fallback) => read(name, 'an http or https URL', parseHttpUrl, fallback, 'http://placeholder.invalid'),
    optionalUrl: (name) => read<string | null>(name, 'an http or https URL', parseHttpUrl, null, null),
    urls: (name, fallback) =>
      read(name, 'http or https URLs, separated by commas', parseHttpUrls, [fallback], [fallback]),
    listen: (name, fallback) => {
      const address = parseListen(fallback);
      if (address === null) throw new Error(`the default of ${name} is no address`);
      return read(name, 'host:port', parseListen, address, address);
    },
    json: <T>(name: string, check: (value: unknown) => T, fallback: T): T => {
      const text = given(name);
      if (text === null) return fallback;
      try {
        return check(JSON.parse(text));
      } catch (error) {
        // A SyntaxError quotes the text it could not read, which may be a secret.
        fault(name, error instanceof Error && !(error instanceof SyntaxError) ? error.message : 'must be JSON');
        return fallback;
      }
    },
    family: (prefix) =>
      Object.fromEntries(
        Object.entries(env).flatMap(([name, value]) =>
          name.startsWith(prefix) && name.length > prefix.length && value !== undefined && value !== ''
            ? [[name.slice(prefix.length), value] as const]
            : [],
        ),
      ),
  };
};

const parseInteger = (text: string, min: number, max: number): number | null => {
  if (!/^-?\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= min && value <= max ? value : null;
};

const parseHttpUrl = (text: string): string | null => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  return text.replace(/(?<!\/)\/+$/, '');
};

const parseHttpUrls = (text: string): readonly string[] | null => {
  const urls = text.split(',').map((part) => parseHttpUrl(part.trim()));
  return urls.some((url) => url === null) ? null : urls.filter((url) => url !== null);
};
