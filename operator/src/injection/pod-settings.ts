/** What a pod's own annotations change. A value that cannot be used gives a warning and the default, never a blocked pod. */
import { LOG_LEVELS, type LogLevel } from '@tollgate/runtime';
import { PROVIDERS, type ProviderId } from './facts.ts';
import { CARRIED, INJECT, SETTING, STATUS } from './names.ts';
import { isAtLeast, isQuantity } from './quantity.ts';
import { LEAST, SETTING_MEANINGS } from './setting-meanings.ts';
import type { InjectionSettings } from './settings.ts';

export interface PodSettings {
  readonly providers: readonly ProviderId[];
  /** Null: all of the pod's applications. */
  readonly containers: readonly string[] | null;
  readonly rewritesEnv: boolean;
  readonly logLevel: LogLevel;
  readonly port: number;
  readonly adminPort: number;
  readonly resources: InjectionSettings['resources'];
  readonly warnings: readonly string[];
}

/** @param isRequired the namespace leaves no choice of what is covered */
export const readPodSettings = (
  annotations: Readonly<Record<string, string>>,
  settings: InjectionSettings,
  { containerNames, isRequired }: { readonly containerNames: readonly string[]; readonly isRequired: boolean },
): PodSettings => {
  const warnings: string[] = unknownAnnotations(annotations);

  const read: Read = (setting, parse, fallback) => {
    const name = SETTING[setting];
    const { expected, isChoice = false } = SETTING_MEANINGS[setting];
    const text = annotations[name];
    if (text === undefined) return fallback;
    // A choice of what is covered would be a way around a namespace that requires injection.
    if (isRequired && isChoice) {
      warnings.push(`${name}: has no effect, since this namespace requires injection`);
      return fallback;
    }
    const value = parse(text.trim());
    if (value !== null) return value;
    warnings.push(`${name}: must be ${expected}; the default is taken`);
    return fallback;
  };

  return {
    providers: read(
      'providers',
      (text) => listOf(text, (word) => PROVIDERS.find((id) => id === word) ?? null),
      settings.providers,
    ),
    containers: read<readonly string[] | null>(
      'containers',
      (text) => listOf(text, (word) => (containerNames.includes(word) ? word : null)),
      null,
    ),
    rewritesEnv: read('rewriteEnv', booleanOf, true),
    logLevel: read('logLevel', (text) => LOG_LEVELS.find((level) => level === text) ?? null, settings.logLevel),
    ...readPorts(read, settings, warnings),
    resources: readResources(read, settings, warnings),
    warnings,
  };
};

type Read = <T>(setting: keyof typeof SETTING, parse: (text: string) => T | null, fallback: T) => T;

const readPorts = (
  read: Read,
  settings: InjectionSettings,
  warnings: string[],
): Pick<PodSettings, 'port' | 'adminPort'> => {
  const port = read('port', portOf, settings.port);
  const adminPort = read('adminPort', portOf, settings.adminPort);
  if (port !== adminPort) return { port, adminPort };
  warnings.push(`${SETTING.port} and ${SETTING.adminPort}: must differ; the defaults are taken`);
  return { port: settings.port, adminPort: settings.adminPort };
};

const readResources = (read: Read, settings: InjectionSettings, warnings: string[]): PodSettings['resources'] => {
  const { resources } = settings;
  const quantity = <T extends string | null>(setting: keyof typeof resources, fallback: T): string | T =>
    read<string | T>(setting, (text) => (isQuantity(text) ? text : null), fallback);
  /** With less the pod would wait for a proxy that never starts. */
  const limit = <T extends string | null>(setting: keyof typeof LEAST, fallback: T): string | T => {
    const chosen = quantity(setting, fallback);
    if (chosen === null || chosen === fallback || isAtLeast(chosen, LEAST[setting])) return chosen;
    warnings.push(`${SETTING[setting]}: the proxy needs ${LEAST[setting]} at least; the default is taken`);
    return fallback;
  };
  const cpuLimit = limit('cpuLimit', resources.cpuLimit);
  const memoryLimit = limit('memoryLimit', resources.memoryLimit);
  // The API server refuses a request above its limit; whoever lowers one limit means the request as well.
  const within = (request: string, most: string | null): string =>
    most !== null && !isAtLeast(most, request) ? most : request;
  return {
    cpuLimit,
    memoryLimit,
    cpuRequest: within(quantity('cpuRequest', resources.cpuRequest), cpuLimit),
    memoryRequest: within(quantity('memoryRequest', resources.memoryRequest), memoryLimit),
  };
};

/** A setting that nobody reads is a slip of the pen, and the user would wait for its effect. */
export const unknownAnnotations = (annotations: Readonly<Record<string, string>>): string[] =>
  Object.keys(annotations)
    .filter((name) => name.startsWith(PREFIX) && name !== STATUS && !CARRIED.includes(name))
    .slice(0, MOST_NAMED)
    .map((name) => `${name.slice(0, 80)}: is no setting of Tollgate; docs/annotations.md names them all`);

const PREFIX = INJECT.slice(0, INJECT.indexOf('/') + 1);
const MOST_NAMED = 8;

const listOf = <T>(text: string, parse: (word: string) => T | null): readonly T[] | null => {
  const values = text.split(',').map((word) => parse(word.trim()));
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? [...new Set(known)] : null;
};

const booleanOf = (text: string): boolean | null => (text === 'true' ? true : text === 'false' ? false : null);

const portOf = (text: string): number | null => {
  const port = /^\d{4,5}$/.test(text) ? Number(text) : 0;
  return port >= 1024 && port <= 65_535 ? port : null;
};
