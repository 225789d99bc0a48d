/**
 * What a CRD can say and zod cannot: list types, CEL rules, columns. It travels as zod metadata under `k8s`; the CRD
 * generator writes it out. Each rule is given twice, as CEL for the API server and as a function for every other door,
 * side by side, so that neither changes without the other.
 */
import type { z } from 'zod';

export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1 = only with `-o wide`. */
  readonly priority?: 1;
}

/** Written once, on the schema of a whole kind. */
export interface KindMeta {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly selectableFields?: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

export interface KubernetesMeta {
  readonly kind?: KindMeta;
  readonly cel?: readonly CelRule[];
  /** Said instead of the pattern, which the API server would show as a bare regular expression. */
  readonly patternMessage?: string;
  readonly listType?: 'map' | 'set' | 'atomic';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic';
  /** Kept as written and checked by nobody here: a PodSpec, for one. */
  readonly preserveUnknownFields?: true;
  readonly maxProperties?: number;
  readonly format?: 'int32' | 'int64';
}

declare module 'zod' {
  interface GlobalMeta {
    k8s?: KubernetesMeta;
  }
}

export const withKubernetes = <S extends z.ZodType>(schema: S, meta: KubernetesMeta): S =>
  schema.meta({ ...schema.meta(), k8s: { ...schema.meta()?.k8s, ...meta } });

interface Rule<S extends z.ZodType> {
  readonly cel: string;
  readonly message: string;
  /**
   * What the rule reads; it is asked only where that is sound, so that it sees what its type says: some members of an
   * object, only whether members are there (`presence`), or a whole scalar (`value`).
   */
  readonly reads: readonly string[] | 'presence' | 'value';
  readonly holds: (value: z.output<S>) => boolean;
}

/** Adds a rule that holds at every door. */
export const withRule = <S extends z.ZodType>(schema: S, { cel, message, reads, holds }: Rule<S>): S => {
  const checked = schema.refine(holds, {
    error: message,
    // zod asks no rule of an object with any fault in it; people want every fault at once.
    when: ({ value, issues }) => {
      if (reads === 'value') return issues.length === 0;
      if (reads === 'presence') return isObject(value);
      return isObject(value) && !issues.some(({ path = [] }) => reads.includes(String(path[0])));
    },
  });
  return withKubernetes(carryMeta(schema, checked), {
    cel: [...(schema.meta()?.k8s?.cel ?? []), { rule: cel, message }],
  });
};

/** Text of one form. `faultOf` may say more closely what is wrong where there is a program to ask. */
export const withPattern = (
  schema: z.ZodString,
  { pattern, message, faultOf = () => message }: PatternRule,
): z.ZodString =>
  withKubernetes(schema.regex(pattern, { error: ({ input }) => faultOf(String(input)) }), { patternMessage: message });

interface PatternRule {
  /** In what RE2 and JavaScript share. */
  readonly pattern: RegExp;
  readonly message: string;
  readonly faultOf?: (text: string) => string;
}

/** A list whose entries are told apart by `keys`, as server-side apply merges them. */
export const listMap = <S extends z.ZodType>(schema: S, keys: readonly string[]): S =>
  withKubernetes(
    unique(schema, (entry) => (isObject(entry) ? keyOf(entry, keys) : null), keys.join(', ')),
    {
      listType: 'map',
      listMapKeys: keys,
    },
  );

/** A list of scalars in which none comes twice. */
export const listSet = <S extends z.ZodType>(schema: S): S =>
  withKubernetes(
    unique(schema, (entry) => (typeof entry === 'string' ? entry : null), null),
    { listType: 'set' },
  );

export const listAtomic = <S extends z.ZodType>(schema: S): S => withKubernetes(schema, { listType: 'atomic' });

const unique = <S extends z.ZodType>(schema: S, identify: (entry: unknown) => string | null, keys: string | null): S =>
  carryMeta(
    schema,
    schema.superRefine(
      (value: unknown, context) => {
        const seen = new Set<string>();
        for (const [index, entry] of Array.isArray(value) ? value.entries() : []) {
          const id = identify(entry);
          if (id !== null && seen.has(id)) {
            const path = keys === null || keys.includes(',') ? [index] : [index, keys];
            const message = `${JSON.stringify(id)} is there already: each entry needs its own ${keys ?? 'value'}`;
            context.addIssue({ code: 'custom', path, message, input: id });
          }
          if (id !== null) seen.add(id);
        }
      },
      { when: ({ value }) => Array.isArray(value) },
    ),
  );

const keyOf = (entry: Record<string, unknown>, keys: readonly string[]): string | null => {
  const values = keys.map((key) => entry[key]);
  return values.every((value) => typeof value === 'string') ? values.join('/') : null;
};

const carryMeta = <S extends z.ZodType>(from: S, to: S): S => to.meta({ ...from.meta() });

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
