import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { WebSocketServer, type WebSocket } from 'ws';
import { forwardPort, type ForwardedPort } from './forwarded-port.ts';

const POD = { namespace: 'a', name: 'web' };
const PORT = 4180;

/** An API server that has one pod, as the kubelet speaks for it: each message begins with its channel. */
describe('a port of a pod on loopback', () => {
  let server: Server;
  let config: KubeConfig;
  let paths: string[];
  let status: number;
  let complaint: string | null;
  let forwarded: ForwardedPort | null;

  const speak = (socket: WebSocket): void => {
    const port = Buffer.alloc(2);
    port.writeUInt16LE(PORT);
    for (const channel of [0, 1]) socket.send(Buffer.concat([Buffer.of(channel), port]));
    if (complaint !== null) socket.send(Buffer.concat([Buffer.of(1), Buffer.from(complaint)]));
    socket.on('message', (message: Buffer) => {
      const said = message.subarray(1).toString('utf8');
      socket.send(Buffer.concat([Buffer.of(0), Buffer.from(`you said ${said}`)]));
      if (said === 'bye') socket.close();
    });
  };

  beforeEach(async () => {
    [paths, status, complaint, forwarded] = [[], 101, null, null];
    server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      paths.push(request.url ?? '');
      if (status === 101) sockets.handleUpgrade(request, socket, head, speak);
      else socket.end(`HTTP/1.1 ${String(status)} No\r\ncontent-length: 0\r\n\r\n`);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
  });
  afterEach(async () => {
    await forwarded?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const forward = async (): Promise<ForwardedPort> => {
    forwarded = await forwardPort({ config, pod: POD, port: PORT });
    return forwarded;
  };
  const say = async (words: string): Promise<string> => {
    const socket = connect((forwarded ?? (await forward())).port, '127.0.0.1');
    socket.write(words);
    return text(socket);
  };

  it('carries bytes both ways, to the end, over a way of its own for each connection', async () => {
    await forward();
    expect(await Promise.all([say('bye'), say('bye')])).toEqual(['you said bye', 'you said bye']);
    expect(await say('bye')).toBe('you said bye');
    const path = '/api/v1/namespaces/a/pods/web/portforward?ports=4180';
    expect(paths).toEqual([path, path, path]);
    expect(forwarded?.fault()).toBeNull();
  });

  it('is no port at all where the way is refused', async () => {
    status = 403;
    await expect(forward()).rejects.toMatchObject({
      name: 'KubeFault',
      status: 403,
      message: 'forward port 4180 of Pod a/web: HTTP 403',
    });
  });

  it('is none where nobody answers', async () => {
    config.loadFromClusterAndUser({ name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: true }, { name: 'u' });
    await expect(forward()).rejects.toMatchObject({ status: 0, message: expect.stringContaining('ECONNREFUSED') });
  });

  it('tells what the pod complains of, and ends the connection', async () => {
    complaint = 'connection refused inside the pod';
    await forward();
    expect(await say('hello')).not.toContain('refused');
    expect(forwarded?.fault()).toMatchObject({ message: expect.stringContaining('connection refused inside the pod') });
  });

  it('ends what is open when it is closed', async () => {
    const { port, close } = await forward();
    const socket = connect(port, '127.0.0.1');
    const ended = text(socket).catch(() => 'broken');
    await new Promise((resolve) => socket.once('connect', resolve));
    await close();
    forwarded = null;
    expect(['', 'broken']).toContain(await ended);
    await expect(
      new Promise((resolve, reject) => connect(port, '127.0.0.1').on('error', reject).on('connect', resolve)),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
