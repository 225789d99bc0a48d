import { describe, expect, it } from '@jest/globals';
import { makeMemoryDisk, type MemoryDisk } from './memory-disk.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { openSpool, type Spool } from './spool.ts';
import { anEvent, anIntent } from './testing/an-event.ts';

interface Faults {
  appends: Error | null;
  reads: Error | null;
  renews: Error | null;
  room: number | null;
}

const faulty = (disk: MemoryDisk): { readonly disk: SpoolDisk; readonly faults: Faults } => {
  const faults: Faults = { appends: null, reads: null, renews: null, room: null };
  return {
    faults,
    disk: {
      ...disk,
      room: () => faults.room,
      renew: () => {
        if (faults.renews) throw faults.renews;
      },
      open: (name) => {
        const file = disk.open(name);
        return {
          ...file,
          append: (bytes) => {
            if (faults.appends) throw faults.appends;
            file.append(bytes);
          },
          readAt: (at, length) => {
            if (faults.reads) throw faults.reads;
            return file.readAt(at, length);
          },
        };
      },
    },
  };
};

const look = (spool: Spool) => {
  const { epochs, open, unacked, damaged } = spool.life('i1');
  return { epochs: [...epochs], open: [...open.keys()], unacked: [...unacked.keys()], damaged };
};

/** As many intents as it takes. */
const fillUp = (spool: Spool, from = 1): number => {
  for (let seq = from; ; seq += 1) {
    try {
      spool.intent(anIntent(seq));
    } catch {
      return seq - 1;
    }
  }
};

describe('a spool near its bound', () => {
  it('takes no intent from 90 % on, has room for every settlement of what is open, and goes on once they are acknowledged', () => {
    const disk = makeMemoryDisk();
    const maxBytes = 100_000;
    const spool = openSpool({ disk, maxBytes, segmentBytes: 10_000 });
    const last = fillUp(spool);
    expect(last).toBeGreaterThan(20);
    expect(spool.trouble()).toBe('full');
    expect(() => {
      spool.intent(anIntent(last + 1));
    }).toThrow(expect.objectContaining({ code: 'spool_fault', kind: 'full' }));
    for (let seq = 1; seq <= last; seq += 1) spool.settle(anEvent(seq));
    expect(spool.stats().bytes).toBeLessThan(maxBytes);
    expect(spool.stats()).toMatchObject({ writeFaults: 0, open: 0, unacked: last, maxBytes });
    spool.acked('i1', [...spool.life('i1').unacked.keys()]);
    expect(spool.trouble()).toBeNull();
    expect(spool.stats().bytes).toBeLessThan(25_000);
    spool.intent(anIntent(last + 1));
  });

  it('learns that the disk has less room than it was allowed, and that it has more again', () => {
    const { disk, faults } = faulty(makeMemoryDisk());
    const spool = openSpool({ disk });
    faults.room = 2_000;
    spool.tend();
    expect(fillUp(spool)).toBeLessThan(4);
    expect(spool.trouble()).toBe('full');
    faults.room = 200_000;
    spool.tend();
    expect(spool.trouble()).toBeNull();
    expect(spool.stats().maxBytes).toBeLessThan(210_000);
  });
});

describe('a disk that takes nothing', () => {
  it('stops intents alone, and what has happened meanwhile is written once it takes it again', () => {
    const memory = makeMemoryDisk();
    const { disk, faults } = faulty(memory);
    const spool = openSpool({ disk, segmentBytes: 2_000 });
    for (const seq of [1, 2, 3]) spool.intent(anIntent(seq));
    faults.appends = new Error('EIO');
    expect(() => {
      spool.settle(anEvent(1));
    }).toThrow('could not take');
    expect(() => {
      spool.intent(anIntent(4));
    }).toThrow(expect.objectContaining({ kind: 'write' }));
    expect(spool.trouble()).toBe('disk');
    spool.tend();
    expect(look(spool)).toMatchObject({ open: [2, 3], unacked: [1] });
    // It is shipped from memory.
    expect(spool.sealed([...spool.life('i1').unacked.values()])).toHaveLength(1);
    faults.appends = null;
    spool.tend();
    expect(spool.trouble()).toBeNull();
    expect(look(openSpool({ disk: memory }))).toMatchObject({ open: [2, 3], unacked: [1] });
  });

  it('is tried again by itself, though nothing waits to be written', () => {
    const { disk, faults } = faulty(makeMemoryDisk());
    const spool = openSpool({ disk });
    spool.epoch('i1', 'e1');
    faults.appends = new Error('ENOSPC');
    expect(() => {
      spool.intent(anIntent(1));
    }).toThrow('could not take');
    spool.tend();
    expect(spool.trouble()).toBe('disk');
    faults.appends = null;
    spool.tend();
    expect(spool.trouble()).toBeNull();
  });

  it('loses no settlement where files are removed to make room', () => {
    const memory = makeMemoryDisk();
    const { disk, faults } = faulty(memory);
    const spool = openSpool({ disk, segmentBytes: 1 });
    for (const seq of [1, 2, 3]) spool.intent(anIntent(seq));
    faults.appends = new Error('ENOSPC');
    for (const seq of [1, 2, 3])
      expect(() => {
        spool.settle(anEvent(seq));
      }).toThrow('could not take');
    spool.acked('i1', [1]);
    // The intents of 2 and 3 are all that the disk knows of them.
    expect(look(openSpool({ disk: makeMemoryDisk(new Map(memory.files)) })).open).toEqual(
      expect.arrayContaining([2, 3]),
    );
    spool.acked('i1', [2, 3]);
    expect(spool.stats().files).toBeLessThan(3);
    faults.appends = null;
    spool.tend();
    expect(look(openSpool({ disk: memory }))).toMatchObject({ open: [], unacked: [] });
  });
});

describe('a folder that is taken away', () => {
  it('is noticed, and made again with all that is still needed', () => {
    const memory = makeMemoryDisk();
    const { disk, faults } = faulty(memory);
    const spool = openSpool({ disk, segmentBytes: 3_000 });
    spool.epoch('i1', 'e1');
    for (let seq = 1; seq <= 12; seq += 1) spool.intent(anIntent(seq));
    for (let seq = 1; seq <= 9; seq += 1) spool.settle(anEvent(seq));
    memory.files.clear();
    faults.renews = new Error('ENOENT');
    spool.tend();
    expect(spool.trouble()).toBe('lost');
    expect(() => {
      spool.intent(anIntent(13));
    }).toThrow(expect.objectContaining({ kind: 'lost' }));
    spool.settle(anEvent(10));
    faults.renews = null;
    spool.tend();
    expect(spool.trouble()).toBeNull();
    spool.intent(anIntent(13));
    const after = openSpool({ disk: memory });
    expect(look(after)).toMatchObject({
      epochs: ['e1'],
      open: [11, 12, 13],
      unacked: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      damaged: false,
    });
    expect(after.sealed([...after.life('i1').unacked.values()])).toEqual(
      spool.sealed([...spool.life('i1').unacked.values()]),
    );
  });

  it('with events in it that cannot be read any more leaves their life unclosed for good', () => {
    const memory = makeMemoryDisk();
    const { disk, faults } = faulty(memory);
    const spool = openSpool({ disk });
    spool.epoch('i1', 'e1');
    spool.intent(anIntent(1));
    spool.settle(anEvent(1));
    memory.files.clear();
    faults.reads = new Error('EIO');
    spool.tend();
    expect(spool.trouble()).toBeNull();
    expect(look(spool)).toMatchObject({ unacked: [], damaged: true });
  });
});
