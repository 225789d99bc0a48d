/** Names and labels as Kubernetes has them: what the API server let through passes here, and nothing else. */
import { pathText, type Fault } from '@tollgate/api';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const MOST_LABELS = 256;

/** Null: well. */
export const namespaceFault = (name: string): string | null =>
  NAMESPACE.test(name) ? null : 'must be the name of a namespace: lower-case letters, digits and "-"';

export const labelsFaults = (value: unknown, path: string): readonly Fault[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, message: 'must be a map' }];
  const entries = Object.entries(value);
  if (entries.length > MOST_LABELS) return [{ path, message: `must have at most ${String(MOST_LABELS)} labels` }];
  return entries.flatMap(([key, label]: [string, unknown]) => {
    const here = `${path}${pathText([0, key]).slice(3)}`;
    if (!LABEL_KEY.test(key)) return [{ path: here, message: 'must be the key of a label' }];
    if (typeof label !== 'string' || !LABEL_VALUE.test(label))
      return [{ path: here, message: 'must be the value of a label' }];
    return [];
  });
};
