/**
 * A stretch of network that can be made bad at run time: bytes go through to whatever the target is just then, late, slowly,
 * not at all, in one direction only, or up to the n-th byte. A loss is a silence here, as TCP shows it: what was held back
 * comes late, and nothing is missing from the middle of a stream.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { makeFlow, type Flow, type FlowFault } from './flow.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface LinkFault {
  /** From whoever connects to the target. */
  readonly up: FlowFault;
  readonly down: FlowFault;
  /** New connections: to the target; reset at once; or taken and left without an answer. */
  readonly accept: 'pass' | 'reset' | 'silence';
  /** When one side goes, the other is not told. */
  readonly isHalfOpen: boolean;
  /** How connections are cut: by RST or by FIN. */
  readonly cut: 'reset' | 'close';
}

export type LinkChange = Partial<Omit<LinkFault, 'up' | 'down'>> & {
  readonly up?: Partial<FlowFault>;
  readonly down?: Partial<FlowFault>;
};

export interface TcpFaultProxy {
  readonly port: number;
  /** Holds for open connections too, from their next byte on. Parts that are not named stay as they are. */
  set(change: LinkChange): void;
  /** As good as new; what was held back goes on. */
  heal(): void;
  /** Ends every open connection. */
  cutAll(how?: LinkFault['cut']): void;
  connections(): number;
  stop(): Promise<void>;
}

const GOOD_FLOW: FlowFault = { delayMs: 0, isHeld: false, bytesPerSecond: null, cutAfterBytes: null };
const GOOD: LinkFault = { up: GOOD_FLOW, down: GOOD_FLOW, accept: 'pass', isHalfOpen: false, cut: 'reset' };

/** `target` is asked for each connection; null = nobody is there, and the caller is reset. */
export const startTcpFaultProxy = async (
  target: () => Endpoint | null,
  { port = 0 }: { readonly port?: number } = {},
): Promise<TcpFaultProxy> => {
  let fault = GOOD;
  const links = new Set<Link>();

  const take = (near: Socket): void => {
    near.on('error', () => undefined);
    const to = fault.accept === 'reset' ? null : target();
    if (to === null) {
      near.resetAndDestroy();
      return;
    }
    const far = fault.accept === 'silence' ? null : connect({ ...to, allowHalfOpen: true, noDelay: true });
    const link = makeLink(near, far, () => fault);
    links.add(link);
    const gone = (): void => {
      if (near.destroyed && far?.destroyed !== false) links.delete(link);
    };
    near.once('close', gone);
    far?.once('close', gone);
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, take);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const apply = (next: LinkFault): void => {
    fault = next;
    for (const link of links) link.faultChanged();
  };

  return {
    port: (server.address() as AddressInfo).port,
    set: ({ up, down, ...rest }) =>
      apply({ ...fault, ...rest, up: { ...fault.up, ...up }, down: { ...fault.down, ...down } }),
    heal: () => apply(GOOD),
    cutAll: (how = 'reset') => {
      for (const link of links) link.cut(how);
      links.clear();
    },
    connections: () => links.size,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const link of links) link.cut('reset');
      await closed;
    },
  };
};

interface Link {
  faultChanged(): void;
  cut(how: LinkFault['cut']): void;
}

/** The two flows of one connection; `far` is null where the caller is to talk to nobody. */
const makeLink = (near: Socket, far: Socket | null, faultNow: () => LinkFault): Link => {
  const flows: Flow[] = [];
  const cut = (how: LinkFault['cut']): void => {
    for (const flow of flows) flow.stop();
    for (const socket of far === null ? [near] : [near, far]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroySoon();
    }
  };
  if (far === null) {
    near.pause();
    return { faultChanged: () => undefined, cut };
  }
  const between = (from: Socket, to: Socket, faultOf: () => FlowFault): Flow => {
    const tell = (how: () => void): void => {
      if (!faultNow().isHalfOpen) how();
    };
    // An error on one side is an RST: the other side hears the same, at once, whatever was still on its way.
    from.on('error', () => tell(() => to.resetAndDestroy()));
    return makeFlow(from, to, {
      fault: faultOf,
      onCut: () => cut(faultNow().cut),
      onEnd: () => tell(() => to.end()),
    });
  };
  flows.push(
    between(near, far, () => faultNow().up),
    between(far, near, () => faultNow().down),
  );
  return {
    faultChanged: () => {
      for (const flow of flows) flow.faultChanged();
    },
    cut,
  };
};
