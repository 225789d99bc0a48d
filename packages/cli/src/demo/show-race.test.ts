import { expect, it } from '@jest/globals';
import { showRace } from './show-race.ts';

const SCORE = { name: 'Tollgate', billed: 500_000_000n, admitted: 3, refused: 0 };

const show = (columns: number, isQuiet = false) => {
  let out = '';
  let looks = 0;
  const waiting: { looks: number; resolve: () => void }[] = [];
  const laps = {
    scores: () => {
      looks += 1;
      for (const one of waiting) if (looks >= one.looks) one.resolve();
      return Promise.resolve([SCORE]);
    },
  };
  const io = { screenColumns: () => columns, stdout: (text: string) => void (out += text) };
  const close = showRace(laps, { limit: 1_000_000_000n, seconds: () => 1.5, io, isQuiet });
  return {
    close,
    out: () => out,
    looked: (times: number) => new Promise<void>((resolve) => waiting.push({ looks: times, resolve })),
  };
};

it('draws over its last frame on a screen', async () => {
  const { close, looked, out } = show(80);
  await looked(2);
  await close();
  const frames = out().split('\u001b[2A\u001b[J');
  expect(frames.length).toBeGreaterThanOrEqual(3);
  for (const frame of frames) expect(frame).toMatch(/^ {2}Tollgate .*3 calls\n {2}1\.5 s\n$/);
});

it.each([0, 79])(
  'prints lines where %i columns can be drawn on, the last of them with the final score, and never a control character',
  async (columns) => {
    const { close, out } = show(columns);
    await close();
    expect(out()).toBe('   1.5 s   Tollgate $0.50, 3 calls\n'.repeat(2));
  },
);

it('prints nothing for machines', async () => {
  const { close, out } = show(80, true);
  await close();
  expect(out()).toBe('');
});

it('hands on that the score could not be had', async () => {
  const close = showRace(
    { scores: () => Promise.reject(new Error('gone')) },
    { limit: 1n, seconds: () => 0, io: { screenColumns: () => 0, stdout: () => undefined }, isQuiet: false },
  );
  await expect(close()).rejects.toThrow('gone');
});
