import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { endianness } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import { directConnections } from './direct-connections.ts';
import { makeReadSocketTables } from './socket-tables.ts';

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

const listen = async (host: string): Promise<{ readonly server: Server; readonly port: number }> => {
  // Accepted and kept, as a provider keeps a connection.
  const server = createServer((socket) => void socket.on('error', () => undefined).resume());
  server.listen(0, host);
  await once(server, 'listening');
  closings.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
};

/** Another process of the same network, as another container of a pod is. */
const connectElsewhere = async (server: Server, host: string, port: number): Promise<ChildProcess> => {
  const script = `require('node:net').connect(${String(port)}, '${host}').resume()`;
  const accepted = once(server, 'connection');
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  closings.push(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  await accepted;
  return child;
};

const read = makeReadSocketTables({ proc: '/proc', isLittleEndian: endianness() === 'LE' });

describe('the sockets of this network', () => {
  it.each(['127.0.0.1', '::1'])('to a provider at %s are told from our own', async (address) => {
    const { server, port } = await listen(address);
    const hosts = [{ host: 'provider', ports: [port], addresses: new Set([address]) }];
    const found = async (): Promise<unknown> => {
      const tables = await read();
      if (tables === null) throw new Error('no /proc/net/tcp on this system');
      // All on loopback here, which a pod's own traffic to the proxy is: so not by `foreignSockets`.
      return directConnections(
        tables.sockets.filter(({ inode }) => !tables.own.has(inode)),
        hosts,
      );
    };
    const own = connect(port, address);
    closings.push(() => own.destroy());
    await once(own, 'connect');
    expect(await found()).toEqual([]);
    await connectElsewhere(server, address, port);
    expect(await found()).toEqual([{ host: 'provider', count: 1 }]);
  });

  it('are none where the system keeps no such tables', async () => {
    expect(await makeReadSocketTables({ proc: '/nowhere', isLittleEndian: true })()).toBeNull();
  });
});
