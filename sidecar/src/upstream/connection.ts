/** One connection to a provider, and the call that is on it. */
import type { Socket } from 'node:net';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { Dial, HangUp } from './dial.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser, type ResponseEvents } from './response-parser.ts';
import type { Carrier, Ticket } from './ticket.ts';
import { UpstreamFault } from './upstream-fault.ts';

export interface ConnectionOwner {
  /** Its first call may come. */
  opened(connection: Connection): void;
  /** Its answer has ended: it may take another call. */
  free(connection: Connection): void;
  /** Before it was open. */
  failed(connection: Connection, fault: UpstreamFault): void;
  closed(connection: Connection): void;
}

/** Milliseconds that an idle connection is kept where the provider does not say. */
const KEEP_MS = 30_000;
/** Left before the provider closes it: a call sent at that moment would be lost. */
const KEEP_MARGIN_MS = 1_000;
/** Up to this many bytes head and body are one string, which the system takes in one call without a copy of its own. */
const ONE_WRITE = 16 * 1024;

export class Connection implements ResponseEvents, Deadline, Carrier {
  readonly #owner: ConnectionOwner;
  readonly #deadlines: Deadlines;
  readonly #parser = new ResponseParser(this);
  #hangUp: HangUp | null = null;
  #socket: Socket | null = null;
  #ticket: Ticket | null = null;
  #head: ResponseHead | null = null;
  #isClosed = false;
  #keepMs = KEEP_MS;
  at = Infinity;

  constructor(owner: ConnectionOwner, deadlines: Deadlines) {
    this.#owner = owner;
    this.#deadlines = deadlines;
  }

  open(dial: Dial): void {
    this.#hangUp = dial({
      ready: (socket) => {
        this.#open(socket);
      },
      failed: (fault) => {
        if (this.#isClosed) return;
        this.#isClosed = true;
        this.#owner.failed(this, fault);
      },
      take: (bytes, length) => {
        this.#take(bytes, length);
      },
    });
  }

  /** Open, as far as is known. */
  get isUsable(): boolean {
    return !this.#isClosed && this.#socket?.writable === true;
  }

  /** `head`: the request's, its blank line included. */
  send(ticket: Ticket, head: string): void {
    const socket = this.#socket;
    if (socket === null) throw new TypeError('the connection is not open');
    const { method, body, firstByteMs } = ticket.request;
    this.#deadlines.remove(this);
    this.#ticket = ticket;
    this.#head = null;
    ticket.connection = this;
    this.#parser.begin(method === 'HEAD');
    ticket.expectWithin(firstByteMs);
    let bytes = head.length;
    for (const { length } of body) bytes += length;
    if (bytes <= ONE_WRITE) {
      let text = head;
      for (const piece of body) text += piece.toString('latin1');
      socket.write(text, 'latin1');
      return;
    }
    socket.cork();
    socket.write(head, 'latin1');
    for (const piece of body) socket.write(piece);
    socket.uncork();
  }

  /** Nothing is to be sent for now. */
  rest(): void {
    this.at = this.#deadlines.now() + this.#keepMs;
    this.#deadlines.add(this);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Ends it, whatever is on it. */
  drop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parser.stop();
    this.#ticket = null;
    this.#deadlines.remove(this);
    if (this.#socket === null) this.#hangUp?.();
    else this.#socket.destroy();
    this.#owner.closed(this);
  }

  /** Kept long enough. */
  expire(): void {
    this.drop();
  }

  onHead(head: ResponseHead): void {
    if (head.status >= 200) this.#head = head;
    this.#ticket?.handler.onHead(head);
  }

  onBody(bytes: Buffer): void {
    this.#ticket?.handler.onData(bytes);
  }

  onEnd(): void {
    const ticket = this.#ticket;
    if (ticket === null) return;
    this.#ticket = null;
    const socket = this.#socket;
    // An answer that came before all of its request was taken leaves the rest of it on the way.
    if (this.#head?.keepsAlive !== true || socket === null || !socket.writable || socket.writableLength > 0)
      this.drop();
    else if (ticket.isPaused) socket.resume();
    ticket.done();
  }

  /** For good: the call that is on it hears of it. */
  close(): void {
    this.#ticket?.fail(new UpstreamFault('broken', 'the proxy is closing its connections'));
    this.drop();
  }

  #mayRest(): void {
    const said = this.#head?.keepAliveSeconds ?? null;
    this.#keepMs = said === null ? KEEP_MS : Math.min(KEEP_MS, said * 1000 - KEEP_MARGIN_MS);
    if (this.#keepMs <= 0) this.drop();
    else this.#owner.free(this);
  }

  #open(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on('error', (cause) => {
      this.#lost(cause);
    });
    socket.on('end', () => {
      this.#lost(null);
    });
    socket.on('close', () => {
      this.#lost(null);
    });
    this.#owner.opened(this);
  }

  #take(bytes: Buffer, length: number): void {
    const ticket = this.#ticket;
    try {
      this.#parser.push(bytes, length);
    } catch (cause) {
      ticket?.fail(
        cause instanceof UpstreamFault ? cause : new UpstreamFault('broken', 'the answer was not read', cause),
      );
      this.drop();
      return;
    }
    if (this.#isClosed || ticket === null) return;
    if (this.#ticket !== null) {
      ticket.expectWithin(this.#head === null ? ticket.request.firstByteMs : ticket.request.idleMs);
    }
    // Only now, since bytes behind an answer's end are a fault, and never the next one's beginning.
    else this.#mayRest();
  }

  /** No more will come. */
  #lost(cause: Error | null): void {
    if (this.#isClosed) return;
    const ticket = this.#ticket;
    const isWhole = cause === null && this.#parser.finish();
    if (isWhole || ticket === null) {
      this.drop();
      return;
    }
    ticket.fail(
      new UpstreamFault(
        'broken',
        'the connection to the provider broke before the answer was complete',
        cause ?? undefined,
      ),
    );
    this.drop();
  }
}
