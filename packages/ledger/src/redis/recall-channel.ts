import { Redis } from 'ioredis';
import type { CounterName } from '../counter.ts';
import { decodeCounterName } from '../wire/counter-wire.ts';
import { fields, parseJson, text } from '../wire/fields.ts';
import { WireFault } from '../wire/wire-fault.ts';

/**
 * Tells the other servers of a pool that calls wait for a counter, so that their proxies give back what they do not hold.
 * Best effort: what is lost is said again while a call waits, and nothing but waiting depends on it.
 */
export interface RedisRecallChannel {
  /** `except`: the instance that asks. */
  publish(counter: CounterName, except: string): void;
  listen(onRecall: (counter: CounterName, except: string) => void): void;
  release(): void;
}

export interface RecallChannelOptions {
  /** As the pool's. */
  readonly url: string;
  readonly organisation: string;
  /** This life of this process: its own words are not heard. */
  readonly server: string;
  readonly onFault?: (fault: unknown, doing: string) => void;
}

const RECONNECT_MS = 1_000;
const DOING = 'recall over Redis';

/** Connects in the background, and again when it has to. A subscribed connection takes no other command, so there are two. */
export const openRecallChannel = (options: RecallChannelOptions): RedisRecallChannel => {
  const { url, organisation, server, onFault = () => undefined } = options;
  const channel = `tg:{${organisation.replace(/[{}]/g, '_')}}:recall`;
  const connect = (): Redis => {
    const client = new Redis(url, { enableOfflineQueue: false, retryStrategy: () => RECONNECT_MS });
    client.on('error', (fault: unknown) => {
      onFault(fault, DOING);
    });
    return client;
  };
  const speaker = connect();
  const listener = connect();
  const failed = (fault: unknown): void => {
    onFault(fault, DOING);
  };
  const listeners: ((counter: CounterName, except: string) => void)[] = [];
  listener.on('ready', () => {
    listener.subscribe(channel).catch(failed);
  });
  listener.on('message', (_channel, message) => {
    const recall = readRecall(message);
    if (recall && recall.from !== server) for (const tell of listeners) tell(recall.counter, recall.except);
  });

  return {
    publish: ({ budget, limit, partition }, except) => {
      const message = JSON.stringify({ counter: { budget, limit, partition }, except, from: server });
      speaker.publish(channel, message).catch(failed);
    },
    listen: (onRecall) => {
      listeners.push(onRecall);
    },
    release: () => {
      speaker.disconnect();
      listener.disconnect();
    },
  };
};

/** Null: not one of ours. Whoever may publish there can make proxies give back what lies idle, and no more. */
const readRecall = (
  message: string,
): { readonly counter: CounterName; readonly except: string; readonly from: string } | null => {
  try {
    const from = fields(parseJson(message), '');
    return {
      counter: decodeCounterName(fields(from['counter'], 'counter'), 'counter'),
      except: text(from, 'except', ''),
      from: text(from, 'from', ''),
    };
  } catch (fault) {
    if (fault instanceof WireFault) return null;
    throw fault;
  }
};
