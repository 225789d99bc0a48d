/** Waiting for something of a control plane, as long as the servers that it needs are alive. */
import type { ServerProcess } from './server-process.ts';

/** A limit against hanging on a busy machine, not a measure of speed. */
const PATIENCE_MS = 120_000;
const POLL_MS = 50;

/** Rejects as soon as one of the servers has ended, or after two minutes. */
export const untilSo = async (
  what: string,
  servers: readonly ServerProcess[],
  isSo: () => Promise<boolean>,
): Promise<void> => {
  const last = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    const dead = servers.find((server) => !server.isAlive());
    if (dead) {
      await dead.ended;
      throw new Error(`${dead.name} ended before ${what} was there`);
    }
    if (Date.now() > last) throw new Error(`${what} was not there after ${String(PATIENCE_MS / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};
