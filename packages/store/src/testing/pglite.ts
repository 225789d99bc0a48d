import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** A throw-away PGlite behind a socket, as standalone runs it: one connection at a time. */
export interface TestPglite {
  readonly connectionString: string;
  /** Drops all that is in it. */
  empty(): Promise<void>;
  /** Statements behind the store's back. */
  run(sql: string): Promise<void>;
  stop(): Promise<void>;
}

export const startPglite = async (): Promise<TestPglite> => {
  const db = await PGlite.create();
  const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: 1 });
  await server.start();
  return {
    connectionString: `postgres://postgres@${server.getServerConn()}/postgres`,
    empty: async () => {
      await db.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    },
    run: async (sql) => {
      await db.exec(sql);
    },
    stop: async () => {
      await server.stop();
      await db.close();
    },
  };
};
