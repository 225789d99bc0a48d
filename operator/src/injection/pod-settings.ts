/** What a pod's own annotations change. A value that cannot be used gives a warning and the default, never a blocked pod. */
import { LOG_LEVELS, type LogLevel } from '@tollgate/runtime';
import { PROVIDERS, type ProviderId } from './facts.ts';
import { CARRIED, INJECT, SETTING, STATUS } from './names.ts';
import { isQuantity, quantityValue } from './quantity.ts';
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

  const read = <T>(name: string, expected: string, parse: (text: string) => T | null, fallback: T): T => {
    const text = annotations[name];
    if (text === undefined) return fallback;
    const value = parse(text.trim());
    if (value !== null) return value;
    warnings.push(`${name}: must be ${expected}; the default is taken`);
    return fallback;
  };
  /** A choice of what is covered would be a way around a namespace that requires injection. */
  const choice = <T>(name: string, expected: string, parse: (text: string) => T | null, fallback: T): T => {
    if (!isRequired || annotations[name] === undefined) return read(name, expected, parse, fallback);
    warnings.push(`${name}: has no effect, since this namespace requires injection`);
    return fallback;
  };

  return {
    providers: choice(
      SETTING.providers,
      `some of ${PROVIDERS.join(', ')}, separated by commas`,
      (text) => listOf(text, (word) => PROVIDERS.find((id) => id === word) ?? null),
      settings.providers,
    ),
    containers: choice<readonly string[] | null>(
      SETTING.containers,
      "names of the pod's containers, separated by commas",
      (text) => listOf(text, (word) => (containerNames.includes(word) ? word : null)),
      null,
    ),
    rewritesEnv: choice(SETTING.rewriteEnv, '"true" or "false"', booleanOf, true),
    logLevel: read(
      SETTING.logLevel,
      `one of ${LOG_LEVELS.join(', ')}`,
      (text) => LOG_LEVELS.find((level) => level === text) ?? null,
      settings.logLevel,
    ),
    ...readPorts(read, settings, warnings),
    resources: readResources(read, settings, warnings),
    warnings,
  };
};

type Read = <T>(name: string, expected: string, parse: (text: string) => T | null, fallback: T) => T;

const readPorts = (
  read: Read,
  settings: InjectionSettings,
  warnings: string[],
): Pick<PodSettings, 'port' | 'adminPort'> => {
  const expected = 'a port from 1024 to 65535';
  const port = read(SETTING.port, expected, portOf, settings.port);
  const adminPort = read(SETTING.adminPort, expected, portOf, settings.adminPort);
  if (port !== adminPort) return { port, adminPort };
  warnings.push(`${SETTING.port} and ${SETTING.adminPort}: must differ; the defaults are taken`);
  return { port: settings.port, adminPort: settings.adminPort };
};

const readResources = (read: Read, settings: InjectionSettings, warnings: string[]): PodSettings['resources'] => {
  const { resources } = settings;
  const quantity = <T extends string | null>(name: string, fallback: T): string | T =>
    read<string | T>(name, 'a quantity such as 50m or 128Mi', (text) => (isQuantity(text) ? text : null), fallback);
  const chosen = {
    cpuRequest: quantity(SETTING.cpuRequest, resources.cpuRequest),
    cpuLimit: quantity(SETTING.cpuLimit, resources.cpuLimit),
    memoryRequest: quantity(SETTING.memoryRequest, resources.memoryRequest),
    memoryLimit: quantity(SETTING.memoryLimit, resources.memoryLimit),
  };
  // The API server refuses a request above its limit; whoever lowers one limit means the request as well.
  const within = (request: string, limit: string | null): string =>
    limit !== null && (quantityValue(request) ?? 0) > (quantityValue(limit) ?? 0) ? limit : request;
  if ((quantityValue(chosen.memoryLimit) ?? 0) < SMALLEST_MEMORY) {
    warnings.push(`${SETTING.memoryLimit}: the proxy needs 64Mi at least; the default is taken`);
    chosen.memoryLimit = resources.memoryLimit;
  }
  return {
    ...chosen,
    cpuRequest: within(chosen.cpuRequest, chosen.cpuLimit),
    memoryRequest: within(chosen.memoryRequest, chosen.memoryLimit),
  };
};

const SMALLEST_MEMORY = 64 * 2 ** 20;

/** A setting that nobody reads is a slip of the pen, and the user would wait for its effect. */
const unknownAnnotations = (annotations: Readonly<Record<string, string>>): string[] =>
  Object.keys(annotations)
    .filter((name) => name.startsWith(PREFIX) && name !== STATUS && !CARRIED.includes(name))
    .slice(0, MOST_NAMED)
    .map((name) => `${name.slice(0, 80)}: is no setting of Tollgate`);

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
