/** Where settings come from: a file, then `.env`, then the environment; the later wins. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigFault } from './config-fault.ts';
import type { Env } from './env-reader.ts';

export interface SettingSources {
  readonly env: Env;
  /** Read where it exists: a missing `.env` is no fault. */
  readonly envFile?: string | undefined;
  /** Must exist where it is named. */
  readonly file?: string | undefined;
}

export interface SettingLayers {
  /** Keys of the file as written, with their parsed values. */
  readonly file: Readonly<Record<string, unknown>>;
  /** `.env` under the environment. An empty variable is one that is not set. */
  readonly env: Readonly<Record<string, string>>;
}

/** Reads the sources; `parse` is the file's format (`JSON.parse`, or a YAML parser where one may be loaded). */
export const readLayers = (
  { env, envFile, file }: SettingSources,
  parse: (text: string) => unknown = parseJson,
): SettingLayers => ({
  file: file === undefined ? {} : readSettingsFile(file, parse),
  env: { ...(envFile === undefined ? {} : readEnvFile(envFile)), ...nonEmpty(env) },
});

/**
 * The layers as one environment, for a process that reads variables only. In the file the keys are the variables' names.
 */
export const layeredEnv = (sources: SettingSources): Env => {
  const { file, env } = readLayers(sources);
  return { ...Object.fromEntries(Object.entries(file).map(([name, value]) => [name, variableText(value)])), ...env };
};

const parseJson = (text: string): unknown => JSON.parse(text);

const variableText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const nonEmpty = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  );

const readSettingsFile = (path: string, parse: (text: string) => unknown): Readonly<Record<string, unknown>> => {
  const text = readText(path);
  if (text === null) throw new ConfigFault([{ name: path, message: 'the settings file does not exist' }]);
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch {
    // The parser's message quotes the line, and the line may hold a secret.
    throw new ConfigFault([{ name: path, message: 'the settings file cannot be parsed' }]);
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new ConfigFault([{ name: path, message: 'the settings file must be a map of settings' }]);
  }
  return Object.fromEntries(Object.entries(parsed));
};

const readEnvFile = (path: string): Record<string, string> => {
  const text = readText(path);
  return text === null ? {} : nonEmpty(parseEnv(text));
};

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return null;
    throw new ConfigFault([{ name: path, message: 'the file cannot be read' }], { cause: error });
  }
};
