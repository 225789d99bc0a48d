/**
 * PGlite in a process of its own (it computes on the thread that calls it), served over a private socket by the wire
 * protocol. Arguments: the data directory, the socket's path, and a folder for templates or nothing. Stops on SIGTERM,
 * or when stdin ends.
 */
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { openFromTemplate } from './pglite-template.ts';

const [dataDir = 'memory://', path = '', templates = ''] = process.argv.slice(2);

const db = await openFromTemplate({
  dataDir,
  templates: templates === '' ? null : templates,
  create: (options) => PGlite.create(options),
});
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
