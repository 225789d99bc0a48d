import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeMemoryDisk, type MemoryDisk } from './memory-disk.ts';
import { mostBytes, readRecords, writeRecord, type RecordType } from './record.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { SpoolFault } from './spool-fault.ts';
import { openSpool, type Spool } from './spool.ts';
import { sealEvent } from '../wire/sealed-event.ts';
import { aGrant, anEvent, anIntent } from './testing/an-event.ts';

const NAME = 'spool-00000001.log';

const contents = (disk: MemoryDisk, name = NAME): Buffer => disk.open(name).read();

const withContents = (bytes: Buffer): MemoryDisk => {
  const disk = makeMemoryDisk();
  disk.open(NAME).append(bytes);
  return disk;
};

const copyOf = ({ files }: MemoryDisk): MemoryDisk['files'] =>
  new Map([...files].map(([name, { bytes, length }]) => [name, { bytes: Buffer.from(bytes), length }]));

const record = (type: RecordType, json: string): Buffer => {
  const bytes = Buffer.alloc(mostBytes(json));
  return bytes.subarray(0, writeRecord(bytes, 0, type, json));
};

const look = (spool: Spool, instance = 'i1') => {
  const { epochs, open, unacked, lastSeq, damaged } = spool.life(instance);
  return { epochs: [...epochs], open: [...open.keys()], unacked: [...unacked.keys()], lastSeq, damaged };
};

/** Everything a spool can hold, in the order a proxy writes it. */
const fill = (spool: Spool): void => {
  spool.epoch('i1', 'e1');
  spool.lease('i1', aGrant());
  spool.intent(anIntent(1));
  spool.intent(anIntent(2));
  spool.settle(anEvent(2));
  spool.intent(anIntent(3));
  spool.settle(anEvent(3));
  spool.acked('i1', [2]);
  spool.settle(anEvent(1));
  spool.intent(anIntent(4));
};

describe('the spool', () => {
  it('remembers over a restart what is open, not acknowledged, and not closed', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk });
    fill(spool);
    const after = openSpool({ disk });
    expect(look(after)).toEqual({ epochs: ['e1'], open: [4], unacked: [3, 1], lastSeq: 4, damaged: false });
    expect(look(after)).toEqual(look(spool));
    expect(after.life('i1').open.get(4)?.intent).toEqual(anIntent(4));
    expect(after.sealed([...after.life('i1').unacked.values()])).toEqual([
      sealEvent(anEvent(3)),
      sealEvent(anEvent(1)),
    ]);
    expect(after.opened).toEqual({ records: 10, tornBytes: 0, quarantined: [], damaged: [] });
    after.closed('i1', 'e1');
    expect(look(openSpool({ disk })).epochs).toEqual([]);
  });

  it('notes an epoch once', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk });
    spool.epoch('i1', 'e1');
    const { bytes } = spool.stats();
    spool.epoch('i1', 'e1');
    expect(spool.stats().bytes).toBe(bytes);
  });

  it('cut at any byte, replays exactly the records that were whole, and goes on from there', () => {
    const disk = makeMemoryDisk();
    const ends = [0];
    const spool = openSpool({ disk });
    const steps = [
      () => spool.epoch('i1', 'e1'),
      () => spool.intent(anIntent(1)),
      () => spool.settle(anEvent(1)),
      () => spool.intent(anIntent(2, { counters: [] })),
      () => spool.acked('i1', [1]),
    ];
    for (const step of steps) {
      step();
      ends.push(spool.stats().bytes);
    }
    const whole = contents(disk);
    const states = ends.map((end) => look(openSpool({ disk: withContents(whole.subarray(0, end)) })));
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const torn = withContents(whole.subarray(0, cut));
      const records = ends.findLastIndex((end) => end <= cut);
      const after = openSpool({ disk: torn });
      expect(look(after)).toEqual(states[records]);
      expect(after.opened).toMatchObject({ records, tornBytes: cut - (ends[records] ?? 0), quarantined: [] });
      after.intent(anIntent(9));
      expect(look(openSpool({ disk: torn })).open).toContain(9);
    }
  });

  it('with any byte in the middle changed, loses at most that record, keeps the file aside and says so', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk });
    spool.intent(anIntent(1));
    spool.intent(anIntent(2));
    const middle = spool.stats().bytes;
    spool.settle(anEvent(2));
    const whole = contents(disk);
    fc.assert(
      fc.property(fc.nat(middle - 1), fc.integer({ min: 1, max: 255 }), (offset, flip) => {
        const bytes = Buffer.from(whole);
        bytes[offset] = (bytes[offset] ?? 0) ^ flip;
        const bad = withContents(bytes);
        const after = openSpool({ disk: bad });
        expect(after.opened).toMatchObject({ quarantined: [`${NAME}.corrupt`], damaged: ['i1'] });
        expect(contents(bad, `${NAME}.corrupt`).equals(bytes)).toBe(true);
        expect(look(after)).toMatchObject({ unacked: [2], damaged: true });
        expect(look(openSpool({ disk: bad }))).toEqual(look(after));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the mark of damage while anything of that life is left', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk });
    spool.intent(anIntent(1, { counters: [] }));
    spool.settle(anEvent(1, { counters: [] }));
    const bytes = contents(disk);
    bytes[20] = 0;
    const bad = withContents(bytes);
    openSpool({ disk: bad });
    bad.open(NAME).append(Buffer.from('damage again'));
    bad.open(NAME).append(record('C', '{"instance":"i1","epoch":"e9"}'));
    const again = openSpool({ disk: bad });
    expect(look(again)).toMatchObject({ unacked: [1], damaged: true });
    expect(again.opened.quarantined).toEqual([`${NAME}.corrupt.1`]);
  });

  it('sets a file aside that a later version wrote, rather than drop what it cannot read', () => {
    const later = Buffer.from(record('P', '{"instance":"i1","epoch":"e1","lastSeq":0,"damaged":false}'));
    const unknown = Buffer.from(record('S', '{"seq":"one"}'));
    expect(openSpool({ disk: withContents(Buffer.concat([later, unknown])) }).opened).toMatchObject({
      quarantined: [`${NAME}.corrupt`],
      damaged: ['i1'],
    });
  });

  it('surfaces a disk that takes no more, and writes on cleanly when it does again', () => {
    const disk = makeMemoryDisk();
    let room = Infinity;
    const tight: SpoolDisk = {
      ...disk,
      open: (name) => {
        const file = disk.open(name);
        return {
          ...file,
          append: (bytes) => {
            if (bytes.length <= room) {
              file.append(bytes);
              return;
            }
            // As a real disk does: some of it is there.
            file.append(bytes.subarray(0, 5));
            throw new Error('ENOSPC');
          },
        };
      },
    };
    const spool = openSpool({ disk: tight });
    spool.intent(anIntent(1));
    room = 10;
    expect(() => spool.intent(anIntent(2))).toThrow(SpoolFault);
    expect(() => spool.settle(anEvent(1))).toThrow(SpoolFault);
    // The event is shipped from memory all the same.
    expect(look(spool)).toMatchObject({ open: [], unacked: [1] });
    spool.acked('i1', [1]);
    spool.closed('i1', 'e1');
    expect(spool.stats()).toMatchObject({ writeFaults: 4, open: 0, unacked: 0 });
    room = Infinity;
    spool.intent(anIntent(3));
    const after = openSpool({ disk });
    // What it did not take then went first.
    expect(look(after)).toMatchObject({ open: [3], unacked: [] });
    expect(after.opened.tornBytes).toBe(0);
  });

  it('writes nothing once it is closed', () => {
    const spool = openSpool({ disk: makeMemoryDisk() });
    spool.close();
    spool.close();
    expect(() => spool.intent(anIntent(1))).toThrow('closed');
  });

  it('stays small under load: files that nothing is wanted of are removed, and a call that stays open keeps none alive', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk, segmentBytes: 16 << 10 });
    spool.epoch('i1', 'e1');
    spool.intent(anIntent(1));
    for (let seq = 2; seq < 1_000; seq += 1) {
      spool.intent(anIntent(seq));
      spool.settle(anEvent(seq));
      if (seq > 3) spool.acked('i1', [seq]);
      expect(spool.stats().bytes).toBeLessThan(52 << 10);
    }
    expect(disk.files.size).toBe(spool.stats().files);
    expect(disk.files.size).toBeLessThan(5);
    const after = openSpool({ disk });
    expect(look(after)).toEqual(look(spool));
    expect(look(after)).toMatchObject({ epochs: ['e1'], open: [1], unacked: [2, 3], lastSeq: 999 });
    expect(after.life('i1').open.get(1)?.intent).toEqual(anIntent(1));
  });

  it('keeps a file that cannot be removed, and goes on in one that cannot be begun', () => {
    const disk = makeMemoryDisk();
    let isReadOnly = false;
    const orThrow = <T>(work: () => T): T => {
      if (isReadOnly) throw new Error('EROFS');
      return work();
    };
    const spool = openSpool({
      disk: {
        ...disk,
        open: (name) => orThrow(() => disk.open(name)),
        remove: (name) => orThrow(() => disk.remove(name)),
      },
      segmentBytes: 1,
    });
    spool.intent(anIntent(1));
    spool.settle(anEvent(1));
    expect(disk.files.size).toBe(3);
    isReadOnly = true;
    spool.acked('i1', [1]);
    spool.intent(anIntent(2));
    expect([disk.files.size, spool.trouble()]).toEqual([3, null]);
    expect(spool.stats().writeFaults).toBeGreaterThan(0);
    expect(look(openSpool({ disk: makeMemoryDisk(copyOf(disk)) }))).toMatchObject({ open: [2], unacked: [] });
    isReadOnly = false;
    spool.settle(anEvent(2));
    spool.acked('i1', [2]);
    spool.tend();
    expect(disk.files.size).toBe(1);
  });

  it('reads on what an earlier version left in its one file', () => {
    const disk = makeMemoryDisk();
    disk.open('spool.log').append(record('P', '{"instance":"i0","epoch":"e1","lastSeq":7,"damaged":false}'));
    const spool = openSpool({ disk, segmentBytes: 1 });
    expect(look(spool, 'i0')).toMatchObject({ epochs: ['e1'], lastSeq: 7 });
    spool.closed('i0', 'e1');
    spool.acked('i0', [1]);
    expect([...disk.files.keys()]).not.toContain('spool.log');
  });

  it('lowers what an open attempt holds, and never raises it', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk, segmentBytes: 1 });
    spool.intent(anIntent(1));
    spool.tighten('i1', { seq: 1, held: 5n, counters: [6n] });
    spool.tighten('i1', { seq: 1, held: 9n, counters: [9n] });
    spool.tighten('i1', { seq: 2, held: 5n, counters: [6n] });
    const held = (of: Spool): unknown => {
      const intent = of.life('i1').open.get(1)?.intent;
      return [intent?.head.held, intent?.counters.map((counter) => counter.held)];
    };
    expect(held(spool)).toEqual([5n, [6n]]);
    expect(held(openSpool({ disk }))).toEqual([5n, [6n]]);
  });

  it('gives events back as they were written, wherever they lie meanwhile', () => {
    const disk = makeMemoryDisk();
    const spool = openSpool({ disk, segmentBytes: 8 << 10 });
    const kept = (): unknown => spool.sealed([...spool.life('i1').unacked.values()]);
    const sealed = Array.from({ length: 9 }, (_, index) => sealEvent(anEvent(index + 1)));
    for (let seq = 1; seq < 10; seq += 1) spool.settle(anEvent(seq));
    expect(kept()).toEqual(sealed);
    spool.acked('i1', [1, 2]);
    expect(kept()).toEqual(sealed.slice(2));
    expect(openSpool({ disk }).sealed([...spool.life('i1').unacked.values()])).toEqual(sealed.slice(2));
  });

  it('gives hundreds of events by a few reads, over files and what is not written yet', () => {
    const disk = makeMemoryDisk();
    let reads = 0;
    const counted: typeof disk = {
      ...disk,
      open: (name) => {
        const file = disk.open(name);
        return {
          ...file,
          readAt: (at, length) => {
            reads += 1;
            return file.readAt(at, length);
          },
        };
      },
    };
    const spool = openSpool({ disk: counted, segmentBytes: 128 << 10, defer: () => undefined });
    for (let seq = 1; seq <= 400; seq += 1) {
      spool.intent(anIntent(seq));
      spool.settle(anEvent(seq));
    }
    const sealed = spool.sealed([...spool.life('i1').unacked.values()]);
    expect(sealed).toEqual(Array.from({ length: 400 }, (_, index) => sealEvent(anEvent(index + 1))));
    expect(reads).toBeLessThan(10);
  });

  it('writes a settlement with the next record or at the end of the turn, and in their order', () => {
    const disk = makeMemoryDisk();
    const turns: (() => void)[] = [];
    const spool = openSpool({ disk, defer: (act) => void turns.push(act) });
    spool.intent(anIntent(1));
    spool.settle(anEvent(1));
    expect(look(spool)).toMatchObject({ open: [], unacked: [1] });
    expect(spool.sealed([...spool.life('i1').unacked.values()])).toEqual([sealEvent(anEvent(1))]);
    // A crash now would charge the hold.
    expect(look(openSpool({ disk }))).toMatchObject({ open: [1], unacked: [] });
    spool.intent(anIntent(2));
    expect(look(openSpool({ disk }))).toMatchObject({ open: [2], unacked: [1] });
    spool.settle(anEvent(2));
    expect(turns).toHaveLength(1);
    for (const act of turns) act();
    expect(look(openSpool({ disk }))).toMatchObject({ open: [], unacked: [1, 2] });
    spool.settle(anEvent(3));
    spool.close();
    expect(turns).toHaveLength(2);
    turns[1]?.();
    expect(look(openSpool({ disk }))).toMatchObject({ unacked: [1, 2, 3] });
  });

  it('keeps any number of settlements until the end of the turn', () => {
    const disk = makeMemoryDisk();
    const turns: (() => void)[] = [];
    const spool = openSpool({ disk, defer: (act) => void turns.push(act) });
    for (let seq = 1; seq <= 300; seq += 1) spool.settle(anEvent(seq));
    const waiting = spool.sealed([...spool.life('i1').unacked.values()]);
    expect(waiting).toEqual(Array.from({ length: 300 }, (_, index) => sealEvent(anEvent(index + 1))));
    for (const act of turns) act();
    expect(look(openSpool({ disk })).unacked).toHaveLength(300);
  });

  it('takes acknowledgements in any order and grouping', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), fc.integer({ min: 1, max: 60 }), (acked, last) => {
        const disk = makeMemoryDisk();
        const spool = openSpool({ disk });
        for (let seq = 1; seq <= last; seq += 1) spool.settle(anEvent(seq));
        spool.acked('i1', acked);
        const rest = Array.from({ length: last }, (_, index) => index + 1).filter((seq) => !acked.includes(seq));
        expect(look(spool).unacked).toEqual(rest);
        expect(look(openSpool({ disk })).unacked).toEqual(rest);
      }),
    );
  });
});

describe('records', () => {
  it('take any text, however long', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 50 })), (texts) => {
        const bytes = Buffer.concat(texts.map((text) => Buffer.from(record('I', text))));
        const read = readRecords(bytes);
        expect(read.records.map(({ json }) => json)).toEqual(texts.map((text) => text.toWellFormed()));
        expect(read).toMatchObject({ end: bytes.length, damagedAt: null });
      }),
    );
    const long = 'é'.repeat(100_000);
    expect(readRecords(record('S', long)).records).toMatchObject([{ type: 'S', json: long }]);
  });

  it('of an unknown type are damage, though they are whole', () => {
    const bytes = Buffer.from(record('A', '{}'));
    bytes[8] = 'Z'.charCodeAt(0);
    expect(readRecords(bytes).damagedAt).toBeNull();
    const { crc32 } = process.getBuiltinModule('node:zlib');
    bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
    expect(readRecords(bytes)).toMatchObject({ records: [], damagedAt: 0, end: bytes.length });
  });

  it('are found in noise never, whatever the noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        expect(readRecords(Buffer.from(noise)).records).toEqual([]);
      }),
    );
  });
});
