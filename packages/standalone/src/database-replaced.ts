/** Why a process ends that a database was taken from under: its tables, epochs and leases are made at the start. */
export const DATABASE_REPLACED = 'the database is another one, or empty, since its start';
