/** The race for people: two bars while it runs, a table when it is over, one line of JSON for machines. Pure. */
import { formatUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';
import { dollars, grouped } from '../format/dollars.ts';
import { printTable } from '../format/table.ts';

export interface Score {
  readonly name: string;
  /** By the provider's log. */
  readonly billed: NanoUsd;
  readonly admitted: number;
  readonly refused: number;
}

export interface FinalScore extends Score {
  /** What the gate itself says was spent. */
  readonly ownBooks: NanoUsd;
}

export interface RaceResult {
  readonly limit: NanoUsd;
  readonly agents: number;
  readonly seconds: number;
  readonly gates: readonly FinalScore[];
  /** The last call that Tollgate let through; null where it let none. */
  readonly lastRequestId: string | null;
  /** Tollgate's last no, as an agent got it. */
  readonly lastRefusal: string | null;
}

/** A frame keeps within this: a line that wraps could not be drawn over. */
export const FRAME_COLUMNS = 80;
const BAR_CELLS = 20;
/** The bar goes on beyond the limit, to show who does. */
const LIMIT_CELL = 15;

export const raceFrame = (scores: readonly Score[], limit: NanoUsd): readonly string[] =>
  scores.map(
    ({ name, billed, admitted, refused }) =>
      `  ${name.padEnd(NAME_CELLS)} ${bar(billed, limit)} ${cents(billed).padStart(7)} ${calls(admitted, refused)}${billed > limit ? '  OVER' : ''}`,
  );

/** For where nothing can be drawn over. */
export const raceLine = (scores: readonly Score[], seconds: number): string =>
  `  ${seconds.toFixed(1).padStart(4)} s   ${scores
    .map(({ name, billed, admitted, refused }) => `${name} ${cents(billed)}, ${calls(admitted, refused)}`)
    .join('   ')}`;

export const raceTable = ({ limit, gates }: RaceResult): string =>
  printTable(
    ['GATE', 'LIMIT', "PROVIDER'S BILL", 'OVERSPEND', 'ITS OWN BOOKS', 'ADMITTED', 'REFUSED'],
    gates.map(({ name, billed, ownBooks, admitted, refused }) => [
      name,
      dollars(limit),
      dollars(billed),
      overspend(billed, limit),
      dollars(ownBooks),
      grouped(admitted),
      grouped(refused),
    ]),
  );

/** Amounts are decimal strings of US dollars. */
export const raceJson = ({ limit, agents, seconds, gates, lastRequestId, lastRefusal }: RaceResult): string =>
  `${JSON.stringify({
    mock: true,
    limitUsd: formatUsd(limit),
    agents,
    seconds: Number(seconds.toFixed(1)),
    gates: gates.map(({ name, billed, ownBooks, admitted, refused }) => ({
      name,
      billedUsd: formatUsd(billed),
      overspendUsd: formatUsd(overOf(billed, limit)),
      ownBooksUsd: formatUsd(ownBooks),
      admitted,
      refused,
    })),
    lastRequestId,
    lastRefusal,
  })}\n`;

const NAME_CELLS = 14;

const calls = (admitted: number, refused: number): string =>
  `${grouped(admitted)} ${admitted === 1 ? 'call' : 'calls'}${refused === 0 ? '' : `, ${grouped(refused)} refused`}`;

const bar = (billed: NanoUsd, limit: NanoUsd): string => {
  const filled = Math.min(BAR_CELLS, Number((billed * BigInt(LIMIT_CELL)) / limit));
  const cells = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  return `${cells.slice(0, LIMIT_CELL)}│${cells.slice(LIMIT_CELL)}`;
};

/** While it runs, digits that change too fast to be read are left out; rounded up, so that no bar looks better than it is. */
const cents = (nano: NanoUsd): string => {
  const whole = (nano + 9_999_999n) / 10_000_000n;
  return `$${whole / 100n}.${String(whole % 100n).padStart(2, '0')}`;
};

const overOf = (billed: NanoUsd, limit: NanoUsd): NanoUsd => (billed > limit ? billed - limit : 0n);

const overspend = (billed: NanoUsd, limit: NanoUsd): string => {
  const over = overOf(billed, limit);
  return over === 0n ? 'none' : `${dollars(over)} (${(Number((over * 1000n) / limit) / 10).toFixed(1)} %)`;
};
