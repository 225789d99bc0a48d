import { openStore } from '../open-store.ts';
import type { Store } from '../store.ts';
import { startPglite } from './pglite.ts';
import { startPostgres } from './postgres.ts';

/** Both databases that the store runs on, each started once for a test file. */
export interface EachDatabase {
  /** A store on an empty database. PGlite has but one database, so there the tables are emptied. */
  open(): Promise<Store>;
  /** Where the store that was opened last is. */
  last(): string;
  stop(): Promise<void>;
}

export const DATABASES: readonly (readonly [name: string, start: () => Promise<EachDatabase>])[] = [
  [
    'PostgreSQL',
    async () => {
      const postgres = await startPostgres();
      let last = '';
      return {
        open: async () => {
          last = await postgres.database();
          return openStore({ connectionString: last, max: 8 });
        },
        last: () => last,
        stop: postgres.stop,
      };
    },
  ],
  [
    'PGlite',
    async () => {
      const lite = await startPglite();
      return {
        open: async () => {
          await lite.empty();
          return openStore({ connectionString: lite.connectionString, max: 1 });
        },
        last: () => lite.connectionString,
        stop: lite.stop,
      };
    },
  ],
];
