/**
 * Opens a connection to a provider: names are resolved and each address checked before it is dialled, TLS speaks HTTP/1.1
 * only, HTTP(S)_PROXY and an extra authority are honoured. The bytes that arrive all go through one piece of memory.
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { literalFault, makeCheckedLookup, ForbiddenAddress, type AddressCheck } from './address-check.ts';
import type { Deadlines } from './deadlines.ts';
import { ResponseParser } from './response-parser.ts';
import { UpstreamFault } from './upstream-fault.ts';

/** `bytes` holds what was read from its beginning to `length`, until this returns. */
export type TakeBytes = (bytes: Buffer, length: number) => void;

export interface Dialled {
  ready(socket: Socket): void;
  failed(fault: UpstreamFault): void;
  readonly take: TakeBytes;
}

/** Gives up what it was doing when it is called. */
export type HangUp = () => void;
export type Dial = (dialled: Dialled) => HangUp;

export interface DialDeps {
  readonly isAllowed: AddressCheck;
  /** PEM; all authorities, null for Node's own. */
  readonly authorities: readonly string[] | null;
  readonly connectMs: number;
  readonly deadlines: Deadlines;
}

/** Read by read it is emptied before the next one, so that one is enough for all connections. */
const inbox = Buffer.allocUnsafeSlow(64 * 1024);
const TCP = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

export const makeDirectDial = (origin: string, deps: DialDeps): Dial => {
  const { isAllowed } = deps;
  const { protocol, hostname, host, port } = addressOf(origin);
  const lookup = makeCheckedLookup(isAllowed, protocol);
  const tls = protocol === 'https:' ? tlsTo(hostname, deps.authorities) : null;
  return ({ ready, failed, take }) => {
    const refused = literalFault(hostname, protocol, isAllowed);
    if (refused !== null) {
      failed(unreached(refused));
      return () => undefined;
    }
    const onread: OnReadOpts = {
      buffer: inbox,
      callback: (length, bytes) => {
        take(bytes as Buffer, length);
        return true;
      },
    };
    const options = { ...TCP, host, port, lookup, onread };
    const socket = tls === null ? connectTcp(options) : connectTls({ ...options, ...tls.options() });
    tls?.remember(socket as TLSSocket);
    return whenReady(socket, tls === null ? 'connect' : 'secureConnect', deps, ready, failed);
  };
};

/** By a forward proxy: whole URLs for http (the caller writes them), a tunnel for https. */
export const makeProxiedDial = (origin: string, proxy: string, deps: DialDeps): Dial => {
  const via = addressOf(proxy);
  const target = addressOf(origin);
  // The proxy's own address is the operator's choice (environment), not a tenant's: it is not checked.
  const proxyTls = via.protocol === 'https:' ? tlsTo(via.hostname, deps.authorities) : null;
  const targetTls = target.protocol === 'https:' ? tlsTo(target.hostname, deps.authorities) : null;
  return ({ ready, failed, take }) => {
    let hangUp: HangUp = () => undefined;
    const options = { ...TCP, host: via.host, port: via.port };
    const toProxy = proxyTls === null ? connectTcp(options) : connectTls({ ...options, ...proxyTls.options() });
    const deliver = (socket: Socket): void => {
      socket.on('data', (bytes: Buffer) => {
        take(bytes, bytes.length);
      });
      ready(socket);
    };
    const onProxy = (socket: Socket): void => {
      if (targetTls === null) {
        deliver(socket);
        return;
      }
      hangUp = openTunnel(socket, `${target.hostname}:${String(target.port)}`, proxyAuthorization(proxy), deps, {
        failed,
        opened: () => {
          const secure = connectTls({ socket, ...targetTls.options() });
          targetTls.remember(secure);
          hangUp = whenReady(secure, 'secureConnect', deps, deliver, failed);
        },
      });
    };
    hangUp = whenReady(toProxy, proxyTls === null ? 'connect' : 'secureConnect', deps, onProxy, failed);
    return () => {
      hangUp();
    };
  };
};

/** `Basic …`, of the name and password in the proxy's URL; null where it has none. */
export const proxyAuthorization = (proxy: string): string | null => {
  const { username, password } = new URL(proxy);
  if (username === '' && password === '') return null;
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
};

const openTunnel = (
  socket: Socket,
  authority: string,
  authorization: string | null,
  deps: DialDeps,
  { opened, failed }: { opened(): void; failed(fault: UpstreamFault): void },
): HangUp => {
  const end = (fault: UpstreamFault | null): void => {
    socket.off('data', onData).off('error', onEnd).off('close', onEnd);
    deps.deadlines.remove(deadline);
    if (fault === null) opened();
    else {
      socket.destroy();
      failed(fault);
    }
  };
  const onEnd = (cause?: unknown): void => {
    end(unreached(cause instanceof Error ? cause : new Error('the proxy hung up')));
  };
  let status = 0;
  const parser = new ResponseParser({
    onHead: (head) => {
      ({ status } = head);
    },
    onBody: () => undefined,
    onEnd: () => {
      end(status < 300 ? null : unreached(new Error(`the proxy answered ${String(status)}`)));
    },
  });
  const onData = (bytes: Buffer): void => {
    try {
      parser.push(bytes, bytes.length);
    } catch (cause) {
      end(unreached(cause));
    }
  };
  const deadline = { at: deps.deadlines.now() + deps.connectMs, expire: () => onEnd(new Error('timeout')) };
  deps.deadlines.add(deadline);
  parser.begin(true);
  socket.on('data', onData).on('error', onEnd).on('close', onEnd);
  const credential = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credential}\r\n`);
  return () => {
    end(unreached(new Error('given up')));
  };
};

const whenReady = (
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { deadlines, connectMs }: DialDeps,
  ready: (socket: Socket) => void,
  failed: (fault: UpstreamFault) => void,
): HangUp => {
  const end = (fault: UpstreamFault | null): void => {
    socket.off(event, onReady).off('error', onError).off('close', onClose);
    deadlines.remove(deadline);
    if (fault === null) ready(socket);
    else {
      // An error may follow.
      socket.on('error', () => undefined).destroy();
      failed(fault);
    }
  };
  const onReady = (): void => {
    end(null);
  };
  const onError = (cause: Error): void => {
    end(unreached(cause));
  };
  const onClose = (): void => {
    end(unreached(new Error('the connection was closed')));
  };
  const deadline = {
    at: deadlines.now() + connectMs,
    expire: () => {
      end(unreached(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    },
  };
  deadlines.add(deadline);
  socket.on(event, onReady).on('error', onError).on('close', onClose);
  return () => {
    end(unreached(new Error('given up')));
  };
};

const tlsTo = (hostname: string, authorities: readonly string[] | null) => {
  const name = hostname.replace(/^\[|\]$/g, '');
  let session: Buffer | undefined;
  return {
    options: () => ({
      ALPNProtocols: ['http/1.1'],
      // A name alone may be said in SNI (RFC 6066, 3); the certificate is checked against the host either way.
      servername: isIP(name) === 0 ? name : '',
      host: name,
      ...(authorities === null ? {} : { ca: [...authorities] }),
      ...(session === undefined ? {} : { session }),
    }),
    remember: (socket: TLSSocket): void => {
      socket.on('session', (latest: Buffer) => {
        session = latest;
      });
    },
  };
};

const addressOf = (
  url: string,
): { readonly protocol: string; readonly hostname: string; readonly host: string; readonly port: number } => {
  const { protocol, hostname, port } = new URL(url);
  return {
    protocol,
    hostname,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
};

const unreached = (cause: unknown): UpstreamFault =>
  cause instanceof ForbiddenAddress
    ? new UpstreamFault('forbidden', cause.message, cause)
    : new UpstreamFault('unreached', 'no connection to the provider could be made', cause);
