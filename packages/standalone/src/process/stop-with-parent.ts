/**
 * Preloaded (`node --import`) into children that do not know of their parent: when the parent's end of stdin closes,
 * however it died, the child is told to stop as if by SIGTERM.
 */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.once('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
if ('unref' in process.stdin) process.stdin.unref();
