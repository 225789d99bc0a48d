import { describe, expect, it } from '@jest/globals';
import { makeMemoryDisk, type MemoryFile } from './memory-disk.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { openSpool, type Spool } from './spool.ts';
import { sealEvent } from '../wire/sealed-event.ts';
import { anEvent, anIntent } from './testing/an-event.ts';

/** What an operation on the disk does as the process dies in it. */
type End = 'before' | 'torn' | 'after';
class Died extends Error {}

/** A disk whose process dies in its nth operation; what it had written stays. */
const dyingDisk = (
  files: Map<string, MemoryFile>,
  nth: number,
  end: End,
): SpoolDisk & { readonly isDead: () => boolean } => {
  const of = makeMemoryDisk(files);
  let count = 0;
  let isDead = false;
  const step = (work: () => void, half: () => void): void => {
    if (isDead) throw new Died('dead already');
    count += 1;
    if (count !== nth) {
      work();
      return;
    }
    isDead = true;
    if (end === 'torn') half();
    else if (end === 'after') work();
    throw new Died(`died ${end} operation ${String(nth)}`);
  };
  const none = (): void => undefined;
  return {
    ...of,
    isDead: () => isDead,
    open: (name) => {
      step(() => void of.open(name), none);
      const file = of.open(name);
      return {
        ...file,
        append: (bytes) => {
          step(
            () => {
              file.append(bytes);
            },
            () => {
              file.append(bytes.subarray(0, bytes.length >> 1));
            },
          );
        },
        truncate: (length) => {
          step(() => {
            file.truncate(length);
          }, none);
        },
      };
    },
    rename: (from, to) => {
      step(() => {
        of.rename(from, to);
      }, none);
    },
    remove: (name) => {
      step(() => {
        of.remove(name);
      }, none);
    },
  };
};

/** What the caller of a spool may rely on, as far as its calls have returned. */
interface Promises {
  readonly open: Set<number>;
  readonly told: Set<number>;
  readonly acked: Set<number>;
  /** In the call at hand: it may have happened or not. */
  asking: number;
}

const work = (spool: Spool, from: number, promises: Promises): void => {
  if (from === 1) spool.epoch('i1', 'e1');
  for (let seq = from; seq < from + 14; seq += 1) {
    promises.asking = seq;
    spool.intent(anIntent(seq));
    promises.open.add(seq);
    if (seq % 5 === 1) continue;
    spool.settle(anEvent(seq));
    promises.open.delete(seq);
    promises.told.add(seq);
    if (seq % 4 === 0) continue;
    promises.told.delete(seq);
    promises.acked.add(seq);
    spool.acked('i1', [seq]);
  }
};

const check = (spool: Spool, { open, told, acked, asking }: Promises): void => {
  const life = spool.life('i1');
  for (const seq of open) if (seq !== asking) expect(life.open.get(seq)?.intent).toEqual(anIntent(seq));
  for (const seq of told) {
    if (seq === asking) continue;
    const kept = life.unacked.get(seq);
    expect(kept && spool.sealed([kept])).toEqual([sealEvent(anEvent(seq))]);
  }
  // Nothing comes from nowhere, and what was acknowledged is at most delivered once more.
  for (const seq of life.open.keys()) expect(open.has(seq) || seq === asking).toBe(true);
  for (const seq of life.unacked.keys()) expect(told.has(seq) || acked.has(seq) || seq === asking).toBe(true);
  // One life after another: what the one at hand was doing is now known.
  for (const seq of [asking]) {
    open.delete(seq);
    told.delete(seq);
    if (life.open.has(seq)) open.add(seq);
    if (life.unacked.has(seq)) told.add(seq);
  }
  expect(spool.opened.damaged).toEqual([]);
};

describe('a spool whose process dies', () => {
  it.each(['before', 'torn', 'after'] as const)(
    '%s any operation of its disk, and again while it starts anew, loses nothing that it had promised',
    (end) => {
      let isDone = false;
      let deaths = 0;
      for (let nth = 1; !isDone; nth += 1) {
        const files = new Map<string, MemoryFile>();
        const promises: Promises = { open: new Set(), told: new Set(), acked: new Set(), asking: 0 };
        const disk = dyingDisk(files, nth, end);
        try {
          const spool = openSpool({ disk, segmentBytes: 4_000 });
          work(spool, 1, promises);
        } catch (fault) {
          if (!disk.isDead()) throw fault;
        }
        isDone = !disk.isDead();
        deaths += 1;
        // The next life dies in its first operations too.
        for (const again of [1, 2, 3, 4]) {
          const short = dyingDisk(files, again, end);
          try {
            openSpool({ disk: short, segmentBytes: 4_000 });
          } catch (fault) {
            if (!short.isDead()) throw fault;
          }
        }
        const after = openSpool({ disk: makeMemoryDisk(files), segmentBytes: 4_000 });
        check(after, promises);
        if (promises.asking > 1) expect([...after.life('i1').epochs]).toEqual(['e1']);
        work(after, 100, promises);
        promises.asking = 0;
        check(openSpool({ disk: makeMemoryDisk(files), segmentBytes: 4_000 }), promises);
      }
      expect(deaths).toBeGreaterThan(40);
    },
  );
});
