/** By what a container shows that it calls a language model: names only, and never a value. Pure. */
import {
  BASE_URL_VARIABLES,
  KEY_SIGNS,
  PROVIDERS,
  PUBLIC_URLS,
  type Container,
  type ProviderId,
} from '@tollgate/operator/injection';
import { KNOWN_IMAGES, OTHER_BASE_URLS, UNMETERED_SERVICES } from './known-names.ts';

export interface Sign {
  readonly container: string;
  readonly kind: 'key' | 'baseUrl' | 'otherBaseUrl' | 'unmetered' | 'image' | 'unread';
  /** Null where it does not say whose. */
  readonly provider: ProviderId | null;
  /** Of the variable, the image or the Secret. */
  readonly name: string;
  /** Where the name stands, if it is not the container's own `env`: `ConfigMap settings`. */
  readonly from: string | null;
}

/** Names of the keys that a ConfigMap holds, by the ConfigMap's name in the workload's namespace. */
export type ConfigMapKeys = ReadonlyMap<string, readonly string[]>;

export const signsOf = (container: Container, configMaps: ConfigMapKeys): readonly Sign[] => {
  const own = (container.env ?? []).flatMap(({ name, value }) =>
    signOfVariable(container.name, name, value ?? '', null),
  );
  const sources = (container.envFrom ?? []).flatMap((source) => signsOfSource(container.name, source, configMaps));
  return [...own, ...sources, ...signsOfImage(container)];
};

/** A ConfigMap or Secret whose keys all become variables. */
export interface EnvSource {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly prefix: string;
}

export const envSource = (source: unknown): EnvSource | null => {
  const { configMapRef, secretRef, prefix } = (source ?? {}) as {
    readonly configMapRef?: { readonly name?: unknown };
    readonly secretRef?: { readonly name?: unknown };
    readonly prefix?: unknown;
  };
  const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap';
  const name = (configMapRef ?? secretRef)?.name;
  return typeof name === 'string' ? { kind, name, prefix: typeof prefix === 'string' ? prefix : '' } : null;
};

const signOfVariable = (container: string, name: string, value: string, from: string | null): readonly Sign[] => {
  const sign = (kind: Sign['kind'], provider: ProviderId | null): readonly Sign[] => [
    { container, kind, provider, name, from },
  ];
  const baseUrl = BASE_URL_VARIABLES.find((variable) => variable.name === name);
  if (baseUrl !== undefined) return sign('baseUrl', baseUrl.provider);
  const whose = PROVIDERS.find((provider) => KEY_SIGNS[provider].includes(name));
  if (whose !== undefined) return sign('key', whose);
  if (Object.hasOwn(UNMETERED_SERVICES, name)) return sign('unmetered', null);
  const other = OTHER_BASE_URLS[name] ?? providerAt(value);
  return other === null ? [] : sign('otherBaseUrl', other);
};

/** A value that is a provider's public address, under whatever name. */
const providerAt = (value: string): ProviderId | null => {
  const host = URL.parse(value)?.hostname;
  if (host === undefined) return null;
  return PROVIDERS.find((provider) => URL.parse(PUBLIC_URLS[provider] ?? '')?.hostname === host) ?? null;
};

const signsOfSource = (container: string, source: unknown, configMaps: ConfigMapKeys): readonly Sign[] => {
  const found = envSource(source);
  if (found === null) return [];
  const { kind, name, prefix } = found;
  const keys = kind === 'ConfigMap' ? configMaps.get(name) : undefined;
  if (keys !== undefined) {
    return keys.flatMap((key) => signOfVariable(container, prefix + key, '', `ConfigMap ${name}`));
  }
  // What a Secret holds is not for us to read; its name may say enough.
  return TELLING.test(name) ? [{ container, kind: 'unread', provider: null, name: `${kind} ${name}`, from: null }] : [];
};

const TELLING = /(^|[-_.])(llm|ai|openai|anthropic|claude|gemini|gpt|azure-?openai)([-_.]|$)/i;

const signsOfImage = ({ name: container, image }: Container): readonly Sign[] => {
  const path = (image ?? '').replace(/[@:][^/]*$/, '').split('/');
  const known = KNOWN_IMAGES.find((one) => path.includes(one));
  return known === undefined ? [] : [{ container, kind: 'image', provider: null, name: known, from: null }];
};
