/** Waits for SIGINT or SIGTERM; a second one does not wait for an orderly end. */
import { onStopSignals } from '@tollgate/runtime';
import type { Io } from './io.ts';

export const untilStopped = ({ signals, exit }: Pick<Io, 'signals' | 'exit'>): Promise<void> =>
  new Promise((resolve) => {
    onStopSignals(signals, { stop: () => resolve(), force: ({ exitCode }) => exit(exitCode) });
  });
