/** One request on its way: waiting for a connection, or on one. Its handler hears of its end exactly once. */
import type { Deadline, Deadlines } from './deadlines.ts';
import type { UpstreamControl, UpstreamHandler, UpstreamRequest } from './upstream-call.ts';
import { UpstreamFault } from './upstream-fault.ts';

/** What a request is on. */
export interface Carrier {
  pause(): void;
  resume(): void;
  /** Ends it, with whatever is on it. */
  drop(): void;
}

const nothing = (): void => undefined;
const DEAF: UpstreamHandler = {
  onStart: nothing,
  onHead: nothing,
  onData: nothing,
  onEnd: nothing,
  onFault: nothing,
};
const NO_REQUEST: UpstreamRequest = {
  origin: '',
  path: '',
  method: '',
  headers: [],
  body: [],
  firstByteMs: 0,
  idleMs: 0,
  callMs: 0,
};

export class Ticket implements UpstreamControl, Deadline {
  request: UpstreamRequest;
  handler: UpstreamHandler;
  readonly #deadlines: Deadlines;
  readonly #lastsUntil: number;
  connection: Carrier | null = null;
  isOver = false;
  isPaused = false;
  at: number;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, deadlines: Deadlines) {
    this.request = request;
    this.handler = handler;
    this.#deadlines = deadlines;
    this.#lastsUntil = deadlines.now() + request.callMs;
    this.at = this.#lastsUntil;
    deadlines.add(this);
    handler.onStart(this);
  }

  /** Something is expected to happen within so many milliseconds. */
  expectWithin(ms: number): void {
    const at = Math.min(this.#lastsUntil, this.#deadlines.now() + ms);
    const isNearer = at < this.at;
    this.at = at;
    if (isNearer) this.#deadlines.add(this);
  }

  /** What lies ready is read first: after a stall of this process it is no silence of the provider's. */
  expire(): void {
    setImmediate(() => {
      if (this.isOver) return;
      if (this.at > this.#deadlines.now()) this.#deadlines.add(this);
      else this.#giveUp();
    });
  }

  #giveUp(): void {
    const isAllOver = this.#deadlines.now() >= this.#lastsUntil;
    // The caller does not read: that is no silence of the provider's.
    if (this.isPaused && !isAllOver) {
      this.at = Math.min(this.#lastsUntil, this.#deadlines.now() + this.request.idleMs);
      this.#deadlines.add(this);
      return;
    }
    this.fail(
      isAllOver
        ? new UpstreamFault('expired', 'the call took longer than it may')
        : new UpstreamFault('silent', 'the provider did not answer in time'),
    );
  }

  fail(fault: UpstreamFault): void {
    const { handler } = this;
    if (this.#leave()) handler.onFault(fault);
  }

  /** The answer is complete. */
  done(): void {
    if (this.isOver) return;
    const { handler } = this;
    this.#end();
    try {
      handler.onEnd();
    } catch (cause) {
      handler.onFault(new UpstreamFault('broken', 'the answer was not read', cause));
    }
  }

  abort(): void {
    this.#leave();
  }

  pause(): void {
    this.isPaused = true;
    this.connection?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.connection?.resume();
  }

  /** False where it had ended. Its connection goes with it: of what is on it nobody knows any more. */
  #leave(): boolean {
    if (this.isOver) return false;
    const { connection } = this;
    this.#end();
    connection?.drop();
    return true;
  }

  /** A set that has grown keeps what it once held until a full collection: let that not be the whole call. */
  #end(): void {
    this.isOver = true;
    this.connection = null;
    this.request = NO_REQUEST;
    this.handler = DEAF;
    this.#deadlines.remove(this);
  }
}
