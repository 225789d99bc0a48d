/** Resources in the columns of their own CRD, so that `tollgate get` and `kubectl get` cannot differ. */
import { printAge } from './age.ts';
import { readPath } from './json-path.ts';
import { printTable } from './table.ts';

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly priority?: number;
}

export interface ResourceTableOptions {
  readonly columns: readonly Column[];
  readonly isWide: boolean;
  readonly withNamespace: boolean;
  readonly now: number;
}

export const printResources = (
  resources: readonly unknown[],
  { columns, isWide, withNamespace, now }: ResourceTableOptions,
): string => {
  const shown = columns.filter(({ priority = 0 }) => isWide || priority === 0);
  const all: readonly Column[] = [
    ...(withNamespace ? [{ name: 'Namespace', type: 'string', jsonPath: '.metadata.namespace' } as const] : []),
    { name: 'Name', type: 'string', jsonPath: '.metadata.name' },
    ...shown,
  ];
  const headers = all.map(({ name }) => name.toUpperCase());
  return printTable(
    headers,
    resources.map((resource) => all.map((column) => cell(readPath(resource, column.jsonPath), column, now))),
  );
};

const cell = (value: unknown, { type }: Column, now: number): string => {
  if (value === undefined || value === null) return '';
  if (type === 'date') {
    const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(at) ? '<unknown>' : printAge(now - at);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
};
