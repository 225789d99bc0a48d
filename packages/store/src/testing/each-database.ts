import { openStore } from '../open-store.ts';
import type { Store } from '../store.ts';
import { startPglite } from './pglite.ts';
import { startPostgres } from './postgres.ts';

/** Both databases that the store runs on, each started once for a test file. */
export interface EachDatabase {
  /** A store on an empty database. PGlite has but one database, so there the tables are emptied. */
  open(): Promise<Store>;
  stop(): Promise<void>;
}

export const DATABASES: readonly (readonly [name: string, start: () => Promise<EachDatabase>])[] = [
  [
    'PostgreSQL',
    async () => {
      const postgres = await startPostgres();
      return {
        open: async () => openStore({ connectionString: await postgres.database(), max: 8 }),
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
        stop: lite.stop,
      };
    },
  ],
];
