/** What an API server does first: a TLS handshake that trusts only what is published. */
import { connect, type TLSSocket } from 'node:tls';

/** The served certificate's serial number; rejects where the handshake fails, with its reason. */
export const handshake = (port: number, bundle: string, servername: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername, ca: bundle }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
