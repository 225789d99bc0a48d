import { Redis } from 'ioredis';
import { LedgerUnavailable } from '../lease-port.ts';
import { isForbidden, isReadOnly, RedisUnsuitable } from './redis-fault.ts';
import { checkSuitable, parseInfo, type ServerFacts } from './server-facts.ts';

/**
 * One connection to Redis, for a pool: a command is sent once or not at all, and answered soon or counted as unanswered.
 * Nothing waits in a queue for better times, and nothing is sent again behind the caller's back.
 */
export interface RedisLink {
  /** The server behind the present connection. Throws `LedgerUnavailable` while there is none. */
  server(): ServerFacts;
  /** Throws what Redis answered, or `LedgerUnavailable` where it did not. */
  fcall(name: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  load(payload: string): Promise<void>;
  /** Resolves when there is a connection to a suitable server, at once or after the next attempts. */
  met(): Promise<void>;
  close(): void;
}

export interface RedisLinkOptions {
  /** `redis://[user:password@]host:port[/db]`, `rediss://` for TLS. */
  readonly url: string;
  /** Milliseconds for an answer. */
  readonly commandMs?: number;
  /** Milliseconds for a connection. */
  readonly connectMs?: number;
  /** A connection that broke, or was not to be had; it is tried again. */
  readonly onFault?: (fault: unknown, doing: string) => void;
}

const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
/** Commands in a row without an answer: then the connection is given up, since its other end may be gone without a word. */
const MOST_UNANSWERED = 3;
const RECONNECT_MS = [20, 50, 100, 200, 500, 1_000] as const;
/** Until who would not say who it is, or is not suitable yet, is asked again. */
const MEET_AGAIN_MS = 500;

/** Throws `RedisUnsuitable`, or `LedgerUnavailable` where nobody answers. */
export const openRedisLink = async (options: RedisLinkOptions): Promise<RedisLink> => {
  const { url, commandMs = COMMAND_MS, connectMs = CONNECT_MS, onFault = () => undefined } = options;
  let facts: ServerFacts | null = null;
  let unsuitable: RedisUnsuitable | null = null;
  const waiting: (() => void)[] = [];
  let unanswered = 0;
  let closed = false;
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandMs,
    connectTimeout: connectMs,
    retryStrategy: (attempt) => RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length) - 1] ?? null,
  });
  client.on('error', (fault: unknown) => {
    onFault(fault, 'talk to Redis');
  });
  client.on('close', () => {
    facts = null;
    if (!closed) onFault(new LedgerUnavailable('the connection to Redis is gone'), 'talk to Redis');
  });
  const connectAnew = (): void => {
    facts = null;
    unanswered = 0;
    client.disconnect(true);
  };

  /** Whoever answers now may be another server than before, or another life of it. */
  const meet = async (): Promise<void> => {
    const found = parseInfo(await client.info());
    try {
      checkSuitable(found);
      unsuitable = null;
      facts = found;
      for (const met of waiting.splice(0)) met();
    } catch (fault) {
      unsuitable = fault instanceof RedisUnsuitable ? fault : null;
      throw fault;
    }
  };

  try {
    await client.connect();
    await meet();
  } catch (cause) {
    closed = true;
    client.disconnect();
    if (cause instanceof RedisUnsuitable) throw cause;
    throw toUnavailable(cause, 'Redis cannot be reached');
  }
  client.on('ready', () => {
    meet().catch((fault: unknown) => {
      onFault(fault, 'meet Redis again');
      // The connection may well stand, and then nothing else would ever ask again.
      setTimeout(() => {
        if (!closed && facts === null && client.status === 'ready') connectAnew();
      }, MEET_AGAIN_MS).unref();
    });
  });

  const server = (): ServerFacts => {
    if (unsuitable) throw unsuitable;
    if (!facts) throw new LedgerUnavailable('there is no connection to Redis');
    return facts;
  };

  return {
    server,
    fcall: async (name, keys, args) => {
      try {
        const answer = await client.fcall(name, keys.length, ...keys, ...args);
        unanswered = 0;
        return answer;
      } catch (fault) {
        unanswered = isTimeout(fault) ? unanswered + 1 : 0;
        if (isReadOnly(fault) || unanswered >= MOST_UNANSWERED) connectAnew();
        if (isReply(fault) && !isReadOnly(fault) && !isForbidden(fault)) throw fault;
        throw toUnavailable(fault, 'Redis did not do what it was asked');
      }
    },
    load: async (payload) => {
      await client.call('FUNCTION', 'LOAD', payload);
    },
    met: () =>
      facts
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    close: () => {
      closed = true;
      client.disconnect();
    },
  };
};

const isTimeout = (fault: unknown): boolean => fault instanceof Error && fault.message === 'Command timed out';

const isReply = (fault: unknown): boolean => fault instanceof Error && fault.name === 'ReplyError';

const toUnavailable = (cause: unknown, message: string): LedgerUnavailable => {
  if (isForbidden(cause)) {
    return new RedisUnsuitable('permission', 'this Redis user may not call the pool’s functions', { cause });
  }
  return cause instanceof LedgerUnavailable ? cause : new LedgerUnavailable(message, { cause });
};
