/** `tollgate mock-provider`: the provider simulator. The one file of the product that may import the testkit. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { parsePort, parseWhole } from '../number-options.ts';

interface MockOptions {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly log?: string;
}

export const addMockProvider = (program: Command, io: Io): void => {
  program
    .command('mock-provider')
    .description('serve simulated answers of every provider; nobody is charged')
    .option('--host <address>', 'address to listen on; 0.0.0.0 in a container that others call', '127.0.0.1')
    .option('--port <port>', 'port there; 0 takes any free one', parsePort, 4199)
    .option('--seed <number>', 'equal seeds give equal answers', parseWhole, 1)
    .option('--log <file>', 'append one JSON line for each call: what it would bill')
    .action(async ({ host, port, seed, log }: MockOptions) => {
      const { runMockProvider } = await import('@tollgate/testkit');
      const { untilStopped } = await import('../until-stopped.ts');
      const { portError } = await import('../server/port-error.ts');
      const running = await runMockProvider({
        host,
        port,
        seed,
        ...(log === undefined ? {} : { logFile: log }),
        print: (line) => io.stdout(`${line}\n`),
      }).catch((error: unknown) => {
        throw portError(error, { port, what: 'the mock provider', setting: '--port' });
      });
      await untilStopped(io);
      await running.stop();
    });
};
