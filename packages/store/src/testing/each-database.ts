import pg from 'pg';
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
  /** Statements behind the store's back. */
  run(sql: string): Promise<void>;
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
        run: async (sql) => {
          const client = new pg.Client({ connectionString: last });
          await client.connect();
          await client.query(sql);
          await client.end();
        },
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
        run: (sql) => lite.run(sql),
        stop: lite.stop,
      };
    },
  ],
];
