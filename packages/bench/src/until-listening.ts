/** The moment at which somebody listens on a port. */
import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';

const READY_MS = 30_000;

export const untilListening = async (port: number, child: ChildProcess): Promise<void> => {
  const started = performance.now();
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${String(child.exitCode)}`);
    if (performance.now() - started > READY_MS) throw new Error(`nothing listens on ${String(port)} after 30 s`);
    await new Promise((again) => setTimeout(again, 10));
  }
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
