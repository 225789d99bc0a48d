/** One kind's schema → its CustomResourceDefinition. */
import { GROUP, type KindMeta } from '@tollgate/api/schema';
import { z } from 'zod';
import { toStructural, type StructuralSchema } from './structural.ts';

const VERSION = 'v1alpha1';

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels?: KindMeta['labels'] };
  readonly spec: unknown;
}

/** What every object has. The API server says more of `metadata` itself, and takes no description of it from a CRD. */
const OBJECT: Readonly<Record<string, StructuralSchema>> = {
  apiVersion: { type: 'string', description: 'Group and version of the kind: tollgate.dev/v1alpha1.' },
  kind: { type: 'string', description: 'The kind of the object.' },
  metadata: { type: 'object' },
};

export const toCustomResourceDefinition = (schema: z.ZodType): CustomResourceDefinition => {
  const meta = schema.meta();
  const kind = meta?.k8s?.kind;
  if (kind === undefined) throw new TypeError('not the schema of a kind');
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${GROUP}`, ...(kind.labels === undefined ? {} : { labels: kind.labels }) },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: kind.shortNames,
        categories: kind.categories,
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          ...(kind.selectableFields === undefined
            ? {}
            : { selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })) }),
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: objectSchema(schema, kind.kind) },
        },
      ],
    },
  };
};

const objectSchema = (schema: z.ZodType, kind: string): StructuralSchema => {
  // `input`: what people write, so that a field with a default is optional.
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any', reused: 'inline' });
  const { spec, status } = json.properties ?? {};
  return {
    type: 'object',
    ...(json.description === undefined ? {} : { description: json.description }),
    required: ['spec'],
    properties: { ...OBJECT, spec: toStructural(spec, `${kind}.spec`), status: toStructural(status, `${kind}.status`) },
  };
};
