/** Callers in closed loops, so many a proxy, for as long as the round lasts; whatever comes back is written down. */
import { Agent } from 'node:http';
import { makeDice } from '../../testing/dice.ts';
import type { RigProxy } from '../rig/proxy.ts';
import { pause } from '../rig/wait.ts';
import { drawCall, type DrawnCall } from './draw-call.ts';
import { sendCall, type Outcome } from './send-call.ts';

export interface Load {
  readonly outcomes: readonly Outcome[];
  /** Outcomes of calls that began after this moment. */
  since(at: number, proxy?: string): readonly Outcome[];
  now(): number;
  /** One more call, for a caller of another kind. */
  draw(): DrawnCall;
  send(proxy: RigProxy, call: DrawnCall): Promise<Outcome>;
  /** Callers send no new call until `resume`; resolves when none is under way. */
  rest(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly seed: number;
  readonly proxies: readonly RigProxy[];
  readonly callersPerProxy: number;
  readonly prompt: string;
  readonly key: string;
}

/** Between two calls of a caller; longer after a "no", so that an exhausted budget is not a hot loop. */
const THINK_MS = 25;
const AFTER_NO_MS = 150;

export const startLoad = ({ seed, proxies, callersPerProxy, prompt, key }: LoadOptions): Load => {
  const outcomes: Outcome[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const now = (): number => performance.now();
  let isStopped = false;
  let isResting = false;
  let open = 0;

  const send = async ({ name }: RigProxy, url: string, call: DrawnCall): Promise<Outcome> => {
    open += 1;
    const outcome = await sendCall(call, { agent, proxy: name, url, now });
    open -= 1;
    outcomes.push(outcome);
    return outcome;
  };

  const caller = async (proxy: RigProxy, number: number): Promise<void> => {
    const dice = makeDice(seed + number * 7_919);
    for (let count = 0; !isStopped; count += 1) {
      const url = proxy.url();
      if (isResting || url === null) {
        await pause(AFTER_NO_MS);
        continue;
      }
      const label = `c${String(number)}-${String(count)}`;
      const outcome = await send(proxy, url, drawCall(dice, label, prompt, key));
      await pause(outcome.status === 200 ? THINK_MS : AFTER_NO_MS);
    }
  };
  const callers = proxies.flatMap((proxy, index) =>
    Array.from({ length: callersPerProxy }, (_, each) => caller(proxy, index * callersPerProxy + each)),
  );

  const others = makeDice(seed - 1);
  let extra = 0;
  return {
    outcomes,
    draw: () => {
      extra += 1;
      return drawCall(others, `x-${String(extra)}`, prompt, key);
    },
    send: (proxy, call) => send(proxy, proxy.url() ?? 'http://127.0.0.1:9', call),
    since: (at, proxy) =>
      outcomes.filter((each) => each.startedAt >= at && (proxy === undefined || each.proxy === proxy)),
    now,
    rest: async () => {
      isResting = true;
      while (open > 0) await pause(20);
    },
    resume: () => {
      isResting = false;
    },
    stop: async () => {
      isStopped = true;
      await Promise.all(callers);
      agent.destroy();
    },
  };
};
