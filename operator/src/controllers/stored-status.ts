/** The status that an object of ours carries, read leniently: it may be of an older version, or absent. */
import { ConditionSchema, type Condition } from '@tollgate/api/schema';
import type { KubeObject } from '../kube/kube-object.ts';

export interface StoredObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const statusFields = ({ status }: StoredObject): Readonly<Record<string, unknown>> =>
  typeof status === 'object' && status !== null && !Array.isArray(status)
    ? (status as Readonly<Record<string, unknown>>)
    : {};

export const storedConditions = (object: StoredObject): readonly Condition[] => {
  const { conditions } = statusFields(object);
  if (!Array.isArray(conditions)) return [];
  return conditions.flatMap((entry: unknown) => {
    const parsed = ConditionSchema.safeParse(entry);
    return parsed.success ? [parsed.data] : [];
  });
};
