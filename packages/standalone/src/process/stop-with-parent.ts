/**
 * Preloaded (`node --import`) into children that do not know of their parent: when the parent's end of stdin closes,
 * however it died, the child is told to stop as if by SIGTERM.
 */
import { isMainThread } from 'node:worker_threads';

const stop = (): boolean => process.kill(process.pid, 'SIGTERM');

// Worker threads run preloads too, and their stdin ends at once.
if (isMainThread) {
  process.stdin.once('end', stop);
  process.stdin.once('error', stop);
  process.stdin.resume();
  if ('unref' in process.stdin) process.stdin.unref();
}
