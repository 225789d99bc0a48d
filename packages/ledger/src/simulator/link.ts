/** Between one proxy and its servers: delays, lost questions, lost replies, questions that arrive twice or out of order. */
import { LedgerUnavailable } from '../lease-port.ts';
import type { ProcessLife } from './life.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Link {
  /** Nothing gets through this way. */
  readonly isCut: { to: boolean; from: boolean };
  /** So many replies are lost yet. */
  repliesToLose: number;
  /** Questions arrive twice, late, and past each other. */
  isMuddled: boolean;
  /** A question of this process. It never hears the answer once it is dead. */
  ask<T>(life: ProcessLife, answer: () => Promise<T>): Promise<T>;
  /** The other way: nobody answers, and it may be lost. */
  tell(life: ProcessLife, hear: () => void): void;
}

const TIMEOUT_MS = 1_000;
const USUAL_MS = 4;
const MUDDLED_MS = 300;

export const makeLink = (time: VirtualTime, random: Random): Link => {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void time.timers.after(ms, resolve));
  const travel = (): number => random.between(1, link.isMuddled ? MUDDLED_MS : USUAL_MS);

  /** The question travels, is answered, and the answer travels back, whether anybody still waits for it or not. */
  const carry = async <T>(answer: () => Promise<T>, backMs: number): Promise<Heard<T>> => {
    const heard = await answer().then(
      (value): Heard<T> => ({ kind: 'value', value }),
      (fault: unknown): Heard<T> => ({ kind: 'fault', fault }),
    );
    await pause(backMs);
    if (link.isCut.from) return silence();
    if (link.repliesToLose > 0) {
      link.repliesToLose -= 1;
      return silence();
    }
    return heard;
  };

  const silence = (): Promise<never> => new Promise(() => undefined);

  const link: Link = {
    isCut: { to: false, from: false },
    repliesToLose: 0,
    isMuddled: false,
    ask: async <T>(life: ProcessLife, answer: () => Promise<T>): Promise<T> => {
      if (!life.isAlive()) return silence();
      const [thereMs, backMs, isTwice] = [travel(), travel(), link.isMuddled && random.chance(0.4)];
      const isLost = link.isCut.to;
      const heard = await new Promise<Heard<T>>((resolve) => {
        const cancel = time.timers.after(TIMEOUT_MS, () => {
          resolve({ kind: 'fault', fault: new LedgerUnavailable('no answer in time') });
        });
        if (isLost) return;
        time.timers.after(thereMs, () => {
          void carry(answer, backMs).then((reply) => {
            cancel();
            resolve(reply);
          });
        });
        if (isTwice)
          time.timers.after(thereMs + random.between(1, MUDDLED_MS), () => void answer().catch(() => undefined));
      });
      await life.running();
      if (heard.kind === 'fault') throw heard.fault;
      return heard.value;
    },
    tell: (life, hear) => {
      if (link.isCut.from) return;
      time.timers.after(travel(), () => {
        void life.running().then(hear);
      });
    },
  };
  return link;
};

type Heard<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'fault'; readonly fault: unknown };
