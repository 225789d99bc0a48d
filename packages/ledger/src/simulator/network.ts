/** Between proxies and server: delays, lost questions, lost replies, questions that arrive twice. */
import { LedgerUnavailable } from '../lease-port.ts';
import type { ProcessLife } from './life.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Weather {
  readonly loseQuestion: number;
  readonly loseReply: number;
  readonly twice: number;
  readonly slowestMs: number;
}

export const CALM: Weather = { loseQuestion: 0, loseReply: 0, twice: 0, slowestMs: 5 };

export interface Network {
  weather: Weather;
  /** A question of this process. It never hears the answer once it is dead. */
  ask<T>(life: ProcessLife, answer: () => Promise<T>): Promise<T>;
}

export const makeNetwork = (time: VirtualTime, random: Random): Network => {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void time.timers.after(ms, resolve));
  const delay = (): Promise<void> => pause(random.between(0, network.weather.slowestMs));

  const network: Network = {
    weather: CALM,
    ask: async (life, answer) => {
      // Drawn at once, in a fixed order, so that what one question draws does not hang on another's fate.
      const { loseQuestion, loseReply, twice } = network.weather;
      const [lost, silent, doubled] = [random.chance(loseQuestion), random.chance(loseReply), random.chance(twice)];
      if (!life.isAlive()) return new Promise(() => undefined);
      await delay();
      if (lost) {
        await pause(200);
        throw new LedgerUnavailable('the question was lost');
      }
      if (doubled)
        void pause(random.between(1, 300))
          .then(answer)
          .catch(() => undefined);
      const reply = await answer().then(
        (value) => ({ value }),
        (fault: unknown) => ({ fault }),
      );
      await delay();
      if (!life.isAlive()) return new Promise(() => undefined);
      if (silent) {
        await pause(200);
        throw new LedgerUnavailable('the reply was lost');
      }
      if ('fault' in reply) throw reply.fault;
      return reply.value;
    },
  };
  return network;
};
