/**
 * The connections to one origin. A call takes the one that was used last, or waits in line for one: no more are opened at
 * once than calls wait, and never more than the bound.
 */
import { Connection, type ConnectionOwner } from './connection.ts';
import type { Deadlines } from './deadlines.ts';
import type { Dial } from './dial.ts';
import { headWriter } from './request-head.ts';
import type { Ticket } from './ticket.ts';
import { UpstreamFault } from './upstream-fault.ts';

export interface Pool {
  send(ticket: Ticket): void;
  close(): void;
}

export interface PoolDeps {
  readonly dial: Dial;
  /** Before each path: an origin where a proxy is spoken to, else nothing. */
  readonly targetPrefix: string;
  readonly host: string;
  readonly proxyAuthorization: string | null;
  readonly deadlines: Deadlines;
}

/** Connections to one origin at once. */
const MOST = 512;

export const makePool = ({ dial, deadlines, ...fixed }: PoolDeps): Pool => {
  const writeHead = headWriter(fixed);
  const all = new Set<Connection>();
  /** The last one was used last. */
  const idle: Connection[] = [];
  const line: { readonly ticket: Ticket; readonly head: string }[] = [];
  let opening = 0;

  const owner: ConnectionOwner = {
    opened(connection) {
      opening -= 1;
      owner.free(connection);
    },
    free(connection) {
      for (let next = line.shift(); next !== undefined; next = line.shift()) {
        if (next.ticket.isOver) continue;
        connection.send(next.ticket, next.head);
        return;
      }
      connection.rest();
      idle.push(connection);
    },
    failed(connection, fault) {
      opening -= 1;
      all.delete(connection);
      // As many fail as connections do, in their order.
      let next = line.shift();
      while (next?.ticket.isOver === true) next = line.shift();
      next?.ticket.fail(fault);
      openMore();
    },
    closed(connection) {
      all.delete(connection);
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      openMore();
    },
  };

  const openMore = (): void => {
    while (line.length > opening && all.size < MOST) {
      const connection = new Connection(owner, deadlines);
      all.add(connection);
      opening += 1;
      connection.open(dial);
    }
  };

  const takeIdle = (): Connection | null => {
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (last.isUsable) return last;
    return null;
  };

  return {
    send(ticket) {
      if (ticket.isOver) return;
      const head = writeHead(ticket.request);
      if (head === null) {
        ticket.fail(new UpstreamFault('unreached', 'the request cannot be written as HTTP/1.1'));
        return;
      }
      const connection = takeIdle();
      if (connection !== null) {
        connection.send(ticket, head);
        return;
      }
      line.push({ ticket, head });
      openMore();
    },
    close() {
      const fault = new UpstreamFault('unreached', 'the proxy is closing its connections');
      for (const { ticket } of line.splice(0)) ticket.fail(fault);
      for (const connection of all) connection.close();
    },
  };
};
