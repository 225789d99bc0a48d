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
}

/** The port to use: the wanted one if it is free, a free one for 0. Throws a StandaloneError if it is taken. */
export const findPort = async ({ host, port, what, setting }: WantedPort): Promise<number> => {
  try {
    return await tryPort(host, port);
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

const tryPort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
