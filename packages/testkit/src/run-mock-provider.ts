/** The simulator as a process of its own: one ready line, a log file, an orderly end. */
import { startMockProvider } from './provider/mock-provider.ts';
import { LIST_PRICES } from './provider/list-prices.ts';
import type { MockPrices } from './provider/bill.ts';

export interface RunOptions {
  readonly port?: number;
  readonly host?: string;
  readonly seed?: number;
  /** Gets one JSON line a call. */
  readonly logFile?: string;
  /** Absent: the list prices of the models it shows. */
  readonly prices?: MockPrices;
  readonly print?: (line: string) => void;
}

export interface RunningMockProvider {
  readonly url: string;
  stop(): Promise<void>;
}

export const DEFAULT_PORT = 4199;

/** Who calls it owns the signals: `stop` ends open calls, closes the log and frees the port. */
export const runMockProvider = async ({
  port = DEFAULT_PORT,
  logFile,
  prices = LIST_PRICES,
  print = toStdout,
  ...rest
}: RunOptions = {}): Promise<RunningMockProvider> => {
  const provider = await startMockProvider({
    port,
    prices,
    ...rest,
    ...(logFile === undefined ? {} : { log: logFile }),
  });
  print(
    JSON.stringify({
      msg: 'ready',
      url: provider.url,
      log: `${provider.url}/__mock/log`,
      bill: `${provider.url}/__mock/bill`,
    }),
  );
  return { url: provider.url, stop: () => provider.stop() };
};

const toStdout = (line: string): void => void process.stdout.write(`${line}\n`);
