/** The door for usage rows: amounts arrive as decimal strings of nano-USD, tokens and calls. */
import type { UsageLine } from '../format/usage-table.ts';
import { CliError } from '../cli-error.ts';

export const usageFrom = (answer: unknown): readonly UsageLine[] => {
  const rows = typeof answer === 'object' && answer !== null && 'rows' in answer ? answer.rows : null;
  if (!Array.isArray(rows)) throw unreadable();
  return rows.map((row: unknown) => {
    const amount = (name: string): bigint => {
      const value: unknown =
        typeof row === 'object' && row !== null && Object.hasOwn(row, name) ? Reflect.get(row, name) : null;
      if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) throw unreadable();
      return BigInt(value);
    };
    const key: unknown = typeof row === 'object' && row !== null && 'key' in row ? row.key : null;
    if (typeof key !== 'string') throw unreadable();
    return {
      key,
      charged: amount('charged'),
      calls: amount('calls'),
      inputTokens: amount('inputTokens'),
      outputTokens: amount('outputTokens'),
    };
  });
};

const unreadable = (): CliError =>
  new CliError('the server did not answer with usage', {
    todo: 'check that it is a Tollgate server, of the version of this command: tollgate --version',
  });
