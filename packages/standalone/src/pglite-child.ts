/**
 * PGlite in a process of its own (it computes on the thread that calls it), served over a private socket by the wire
 * protocol. Arguments: the data directory, and the socket's path. Stops on SIGTERM, or when stdin ends.
 */
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const [dataDir = 'memory://', path = ''] = process.argv.slice(2);

const db = await PGlite.create({ dataDir });
/** One session is shared by all connections, so the store keeps one; the second lets a new one in while the old one closes. */
const server = new PGLiteSocketServer({ db, path, maxConnections: 2 });
await server.start();

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  await server.stop();
  await db.close();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.stdin.once('end', () => void stop());
process.stdin.resume();
process.stdout.write(`${JSON.stringify({ msg: 'ready', path })}\n`);
