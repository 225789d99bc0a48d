/** What is kept of a round that failed, beside its logs: the ledger, the provider's log and what the callers saw. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load/load.ts';
import type { Rig } from '../rig/rig.ts';

export const keepEvidence = async (
  { folder, postgres, database, provider }: Rig,
  { outcomes }: Load,
): Promise<void> => {
  writeFileSync(join(folder, 'provider.jsonl'), lines(provider.log));
  writeFileSync(join(folder, 'callers.jsonl'), lines(outcomes));
  writeFileSync(join(folder, 'ledger.sql'), await postgres.dump(database));
};

const lines = (all: readonly object[]): string =>
  all
    .map(
      (each) =>
        `${JSON.stringify(each, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`,
    )
    .join('');
