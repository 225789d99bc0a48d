/**
 * Preloaded (`node --import`) into children that do not know of their parent: when the parent's end of stdin closes,
 * however it died, the child is told to stop as if by SIGTERM, and ends soon after in any case.
 */
import { isMainThread } from 'node:worker_threads';

/** The server went with the parent: a longer drain delivers nothing, and holds the ports that the next start needs. */
const LAST_MS = 1500;

const stop = (): void => {
  process.stdin.off('end', stop);
  process.stdin.off('error', stop);
  // What was charged lies in the spool already; SIGKILL because an orderly exit may wait for what never comes.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_MS).unref();
  process.kill(process.pid, 'SIGTERM');
};

// Worker threads run preloads too, and their stdin ends at once.
if (isMainThread) {
  process.stdin.once('end', stop);
  process.stdin.once('error', stop);
  process.stdin.resume();
  if ('unref' in process.stdin) process.stdin.unref();
}
