/**
 * A port of a pod as a port on loopback, through the API server, as `kubectl port-forward` does it: one WebSocket for each
 * connection that comes.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
// Its `PortForward` would do too, and bring the models of all kinds along: 3 MB for two channels.
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import { KubeFault } from './kube-fault.ts';
import { keyOf, type KubeKind } from './kube-object.ts';
import { objectPath } from './kube-path.ts';

export interface ForwardedPort {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Why the last connection that broke did so; null where none did. */
  fault(): KubeFault | null;
  close(): Promise<void>;
}

export interface ForwardOptions {
  readonly config: KubeConfig;
  readonly pod: { readonly namespace: string; readonly name: string };
  readonly port: number;
}

const PODS: KubeKind = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

interface Tunnel {
  readonly toPod: PassThrough;
  readonly fromPod: PassThrough;
  end(): void;
}

/** @throws KubeFault: the first way to the pod is opened at once, so that a missing right shows before anything is asked. */
export const forwardPort = async (options: ForwardOptions): Promise<ForwardedPort> => {
  let fault: KubeFault | null = null;
  const tell = (broken: KubeFault): void => {
    fault = broken;
  };
  let spare: Tunnel | null = await openTunnel(options, tell);
  const takeTunnel = async (): Promise<Tunnel> => {
    const ready = spare;
    spare = null;
    return ready ?? openTunnel(options, tell);
  };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    // What breaks a connection is told by the tunnel, or is the asker's own doing.
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    takeTunnel().then(
      (tunnel) => join(socket, tunnel),
      (error: unknown) => {
        tell(faultOf(options, error));
        socket.destroy();
      },
    );
  });
  return {
    port: await listen(server),
    fault: () => fault,
    close: async () => {
      spare?.end();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const join = (socket: Socket, { toPod, fromPod, end }: Tunnel): void => {
  if (socket.destroyed) {
    end();
    return;
  }
  socket.on('close', end);
  socket.pipe(toPod);
  fromPod.pipe(socket);
};

/** What begins each message, either way: of one port, the pod's bytes, and why it could not be reached. */
const BYTES = 0;
const COMPLAINT = 1;
/** The first message of a channel names the port, in two bytes. */
const PORT_BYTES = 2;

const openTunnel = async (options: ForwardOptions, tell: (fault: KubeFault) => void): Promise<Tunnel> => {
  const { config, pod, port } = options;
  const toPod = new PassThrough();
  const fromPod = new PassThrough();
  const begun = new Set<number>();
  const take = (channel: number, message: Buffer): boolean => {
    const bytes = begun.has(channel) ? message : message.subarray(PORT_BYTES);
    begun.add(channel);
    if (bytes.length === 0) return true;
    if (channel === BYTES) fromPod.write(bytes);
    if (channel === COMPLAINT) tell(faultOf(options, new Error(bytes.toString('utf8').trim())));
    return channel === BYTES;
  };
  const path = `${objectPath(PODS, pod, 'portforward')}?ports=${String(port)}`;
  const socket = await new WebSocketHandler(config).connect(path, null, take).catch((error: unknown) => {
    throw faultOf(options, error);
  });
  WebSocketHandler.handleStandardInput(socket, toPod, BYTES);
  // What is still under way comes before its end.
  socket.addEventListener('close', () => fromPod.end());
  // Nobody waits for a farewell: the process is to end.
  return { toPod, fromPod, end: () => socket.terminate() };
};

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

/** The library hands on the event of a WebSocket, which holds the answer's status in its text alone. */
const faultOf = ({ pod, port }: ForwardOptions, error: unknown): KubeFault => {
  if (error instanceof KubeFault) return error;
  const said = messageOf(error);
  const status = Number(/^Unexpected server response: (\d{3})$/.exec(said)?.[1] ?? 0);
  return new KubeFault({
    status,
    reason: status === 0 ? 'Unreachable' : '',
    message: `forward port ${String(port)} of Pod ${keyOf(pod)}: ${status === 0 ? said : `HTTP ${String(status)}`}`,
    cause: error,
  });
};

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
