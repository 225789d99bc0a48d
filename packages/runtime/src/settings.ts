/** Settings of a process by a zod schema: a YAML or JSON file, `.env`, the environment, the latter winning. */
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigFault, type SettingFault } from './config-fault.ts';
import { parseFlag } from './env-reader.ts';
import { parseListen } from './listen-address.ts';
import { readLayers, type SettingSources } from './setting-layers.ts';

/** Written last on a field: `z.string().default('x').meta({ description: '…', env: 'DATABASE_URL', secret: true })`. */
export interface SettingMeta {
  readonly description?: string | undefined;
  /** The variable's name where it is not `TOLLGATE_` + the key in capitals. */
  readonly env?: string | undefined;
  readonly secret?: boolean | undefined;
}

export interface SettingDoc {
  readonly key: string;
  readonly env: string;
  readonly description: string;
  readonly required: boolean;
  /** As it is written in the file; null where there is none, or where it is secret. */
  readonly fallback: string | null;
  readonly secret: boolean;
}

/** A flat object: each key is one setting, `serverUrl` in the file and `TOLLGATE_SERVER_URL` in the environment. */
export type SettingsSchema = z.ZodObject;

export const loadSettings = <S extends SettingsSchema>(schema: S, sources: SettingSources): z.output<S> => {
  const layers = readLayers(sources, (text) => parseYaml(text, { prettyErrors: false }) as unknown);
  const docs = describeSettings(schema);
  const given: Record<string, unknown> = {};
  const origin = new Map<string, string>();
  const faults: SettingFault[] = [];
  for (const [key, value] of Object.entries(layers.file)) {
    const doc = docs.find((candidate) => candidate.key === key || candidate.env === key);
    if (doc === undefined) {
      faults.push({ name: key, message: unknownSetting(key, docs) });
    } else if (value !== null) {
      given[doc.key] = value;
      origin.set(doc.key, `${doc.key} (${sources.file ?? 'file'})`);
    }
  }
  for (const { key, env } of docs) {
    const value = layers.env[env];
    if (value === undefined) continue;
    given[key] = value;
    origin.set(key, env);
  }
  const result = schema.safeParse(given);
  if (result.success && faults.length === 0) return result.data;
  for (const issue of result.error?.issues ?? []) {
    const [key, ...rest] = issue.path.map(String);
    const doc = docs.find((candidate) => candidate.key === key);
    const name = (key === undefined ? undefined : origin.get(key)) ?? doc?.env ?? key ?? 'settings';
    const missing = doc !== undefined && given[doc.key] === undefined;
    faults.push({
      name: [name, ...rest].join('.'),
      message: missing ? 'is not set, and it is required' : issue.message,
    });
  }
  throw new ConfigFault(faults);
};

/** The settings of a schema, in its order: what the documentation prints, and what the variables are called. */
export const describeSettings = (schema: SettingsSchema): readonly SettingDoc[] =>
  Object.entries(schema.shape).map(([key, field]) => {
    const meta: SettingMeta = (field as z.ZodType).meta() ?? {};
    const absent = z.safeParse(field, undefined);
    const fallback = absent.success && absent.data !== undefined ? JSON.stringify(absent.data) : null;
    const secret = meta.secret === true;
    return {
      key,
      env: meta.env ?? envName(key),
      description: meta.description ?? '',
      required: !absent.success,
      fallback: secret ? null : fallback,
      secret,
    };
  });

/** `serverUrl` → `TOLLGATE_SERVER_URL`. */
export const envName = (key: string): string => `TOLLGATE_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;

/** A markdown table of a process's settings. */
export const settingsTable = (schema: SettingsSchema): string =>
  [
    '| Variable | In the file | Default | What it does |',
    '|---|---|---|---|',
    ...describeSettings(schema).map(
      ({ key, env, description, required, fallback, secret }) =>
        `| \`${env}\` | \`${key}\` | ${required ? 'required' : fallback === null ? '–' : `\`${fallback}\``} | ${description}${secret ? ' Secret.' : ''} |`,
    ),
  ].join('\n');

/** `true` in a file; `true`, `yes`, `on`, `1` and their contraries in a variable. */
export const flag = () =>
  z.union([z.boolean(), z.string()]).transform((value, context) => {
    const parsed = typeof value === 'boolean' ? value : parseFlag(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: 'must be true or false' });
    return z.NEVER;
  });

/** A whole number in a file, its digits in a variable. */
export const integer = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^-?\d{1,16}$/, 'must be a whole number')], {
      error: 'must be a whole number',
    })
    .pipe(
      z.coerce
        .number<string | number>()
        .int('must be a whole number')
        .min(min, `must be at least ${min}`)
        .max(max, `must be at most ${max}`),
    );

/** `host:port`. */
export const listen = () =>
  z.string().transform((value, context) => {
    const parsed = parseListen(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: 'must be host:port' });
    return z.NEVER;
  });

/** A structure in a file, JSON in a variable. */
export const json = <S extends z.ZodType>(schema: S) =>
  z
    .unknown()
    .transform((value, context) => {
      if (typeof value !== 'string') return value;
      try {
        return JSON.parse(value) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const unknownSetting = (key: string, docs: readonly SettingDoc[]): string => {
  const squeezed = (text: string): string => text.replace(/[^a-z0-9]/gi, '').toLowerCase();
  const near = docs.find((doc) => squeezed(doc.key) === squeezed(key) || squeezed(doc.env) === squeezed(key));
  return near === undefined ? 'is no setting' : `is no setting; did you mean ${near.key}?`;
};
