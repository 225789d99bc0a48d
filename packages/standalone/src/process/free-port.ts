/** Looks at ports before anything starts, so that a taken one is named with the setting that changes it. */
import { createServer } from 'node:net';
import { errorCode, errorMessage } from '../error-code.ts';
import { StandaloneError } from '../standalone-error.ts';

export interface WantedPort {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** As messages call it: `the proxy`. */
  readonly what: string;
  /** `--port` */
  readonly setting: string;
  /** Between two looks at a port that is in use. */
  readonly pause?: () => Promise<void>;
}

/**
 * The port to use: the wanted one if it is free, a free one for 0. Throws a StandaloneError if it stays taken: children of
 * a start that was killed hold theirs for a second and a half.
 */
export const findPort = async ({ host, port, what, setting, pause = PAUSE }: WantedPort): Promise<number> => {
  try {
    return await tryUntilFree(host, port, pause);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'EADDRINUSE') {
      throw new StandaloneError(
        'port-in-use',
        `port ${port} on ${host}, wanted for ${what}, is in use by another process`,
        {
          todo: `stop that process, or choose another port with ${setting} PORT`,
          cause,
        },
      );
    }
    throw new StandaloneError(
      'config',
      `cannot listen on ${host}:${port} for ${what} (${code ?? errorMessage(cause)})`,
      {
        todo: `choose another port with ${setting} PORT`,
        cause,
      },
    );
  }
};

const LOOKS = 10;
const PAUSE = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));

const tryUntilFree = async (host: string, port: number, pause: () => Promise<void>): Promise<number> => {
  for (let look = 1; ; look += 1) {
    try {
      return await tryPort(host, port);
    } catch (fault) {
      if (errorCode(fault) !== 'EADDRINUSE' || look === LOOKS) throw fault;
      await pause();
    }
  }
};

const tryPort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
