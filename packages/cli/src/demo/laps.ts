/** The agents of both gates, let loose at the same moment, and the score at any time. */
import { runAgent } from './agent.ts';
import { readProviderLog } from './provider-log.ts';
import type { ProviderBills } from './provider-log.ts';
import type { Score } from './scoreboard.ts';

export const CHECK_THEN_ADD = 'check-then-add';
export const TOLLGATE = 'Tollgate';
const GATES = [CHECK_THEN_ADD, TOLLGATE] as const;

export interface LapsOptions {
  readonly agents: number;
  readonly model: string;
  readonly urls: Readonly<Record<(typeof GATES)[number], string>>;
  readonly mockUrl: string;
  readonly stop: AbortSignal;
}

export interface Laps {
  /** Settles when every agent has ended. */
  readonly finished: Promise<void>;
  /** Asks the provider. */
  scores(): Promise<readonly Score[]>;
  lastRequestId(): string | null;
  lastRefusal(): string | null;
}

/** However much money there is, the race is over by then. */
const RACE_MS = 18_000;

export const runLaps = ({ agents, model, urls, mockUrl, stop }: LapsOptions): Laps => {
  const refused = new Map<string, number>();
  let lastRequestId: string | null = null;
  let lastRefusal: string | null = null;
  const ends = AbortSignal.any([stop, AbortSignal.timeout(RACE_MS)]);
  const runs = GATES.flatMap((label) =>
    Array.from({ length: agents }, (_, index) =>
      runAgent({
        url: urls[label],
        model,
        number: index + 1,
        label,
        stop: ends,
        onAnswer: (requestId) => {
          if (label === TOLLGATE) lastRequestId = requestId;
        },
        onRefusal: ({ status, code, message }) => {
          refused.set(label, (refused.get(label) ?? 0) + 1);
          if (label === TOLLGATE) lastRefusal = `HTTP ${status} ${code}: ${message}`;
        },
      }),
    ),
  );
  return {
    finished: Promise.all(runs).then(() => undefined),
    scores: async () => scoresOf(await readProviderLog(mockUrl), refused),
    lastRequestId: () => lastRequestId,
    lastRefusal: () => lastRefusal,
  };
};

const scoresOf = (bills: ProviderBills, refused: ReadonlyMap<string, number>): readonly Score[] =>
  GATES.map((name) => {
    const { billed, calls } = bills.get(name) ?? { billed: 0n, calls: 0 };
    return { name, billed, admitted: calls, refused: refused.get(name) ?? 0 };
  });
