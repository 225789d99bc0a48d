/** Real databases for integration tests, also of other packages. No product code imports it. */
export { anEvent } from './an-event.ts';
export { DATABASES, type EachDatabase } from './each-database.ts';
export { startPglite, type TestPglite } from './pglite.ts';
export { startPostgres, type TestPostgres } from './postgres.ts';
