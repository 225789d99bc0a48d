/** The door for what `/v1/unresolved` lists. */
import { CliError } from '../cli-error.ts';
import type { UnresolvedLine } from '../format/unresolved-table.ts';

export const unresolvedFrom = (answer: unknown): readonly UnresolvedLine[] =>
  listOf(answer, 'unresolved').map((row) => {
    const amount = textOf(row, 'amount');
    if (!/^\d{1,19}$/.test(amount)) throw unreadable();
    return {
      id: textOf(row, 'id'),
      budget: textOf(row, 'budget'),
      limit: textOf(row, 'limit'),
      windowId: textOf(row, 'windowId'),
      unit: textOf(row, 'unit'),
      amount: BigInt(amount),
      since: numberOf(row, 'since'),
      instances: listOf(row, 'lost').map((lost) => textOf(lost, 'instance')),
    };
  });

export const listOf = (from: unknown, name: string): readonly unknown[] => {
  const list = fieldOf(from, name);
  if (!Array.isArray(list)) throw unreadable();
  return list.map((item: unknown) => item);
};

export const textOf = (from: unknown, name: string): string => {
  const value = fieldOf(from, name);
  if (typeof value !== 'string') throw unreadable();
  return value;
};

export const numberOf = (from: unknown, name: string): number | null => {
  const value = fieldOf(from, name);
  return typeof value === 'number' ? value : null;
};

export const fieldOf = (from: unknown, name: string): unknown =>
  typeof from === 'object' && from !== null && Object.hasOwn(from, name) ? Reflect.get(from, name) : undefined;

const unreadable = (): CliError =>
  new CliError('the server did not answer as expected', {
    todo: 'check that it is a Tollgate server, of the version of this command: tollgate --version',
  });
