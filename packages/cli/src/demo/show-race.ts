/** Shows the race as it goes: bars that are drawn over on a screen, a line a second elsewhere. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NanoUsd } from '@tollgate/metering';
import type { Io } from '../io.ts';
import type { Laps } from './laps.ts';
import { FRAME_COLUMNS, raceFrame, raceLine } from './scoreboard.ts';

export interface ShowOptions {
  readonly limit: NanoUsd;
  /** Since the start. */
  readonly seconds: () => number;
  readonly io: Pick<Io, 'stdout' | 'screenColumns'>;
  readonly isQuiet: boolean;
}

const FRAME_MS = 100;
const LINE_MS = 1000;

/** Returns how to end the show, with a last look at the score. */
export const showRace = (
  laps: Pick<Laps, 'scores'>,
  { limit, seconds, io, isQuiet }: ShowOptions,
): (() => Promise<void>) => {
  if (isQuiet) return () => Promise.resolve();
  const over = new AbortController();
  let drawn = 0;
  const canDraw = (): boolean => io.screenColumns() >= FRAME_COLUMNS;
  const look = async (): Promise<void> => {
    const scores = await laps.scores();
    if (!canDraw()) {
      drawn = 0;
      return io.stdout(`${raceLine(scores, seconds())}\n`);
    }
    const lines = [...raceFrame(scores, limit), `  ${seconds().toFixed(1)} s`];
    // Back over the former frame, and nothing of it left.
    io.stdout(`${drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const show = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await look();
      await pause(canDraw() ? FRAME_MS : LINE_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
    await look();
  };
  const shown = show();
  // Whoever ends the show hears of its faults.
  shown.catch(() => undefined);
  return () => {
    over.abort();
    return shown;
  };
};
