/** An intent on disk before the first byte is sent: the price of surviving kill -9. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openFileDisk, openSpool } from '@tollgate/ledger/spool';
import { percentile } from '../statistics.ts';
import { anIntent, aSettledEvent } from './an-attempt.ts';
import { below } from './finding.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

const APPENDS = 20_000;
/** About what an intent takes. */
const RECORD_BYTES = 700;

export const measureSpoolAppend = ({ dir, scale }: World): Promise<readonly Finding[]> => {
  const folder = join(dir, 'spool-append');
  mkdirSync(folder);
  const disk = openFileDisk(folder);
  const spool = openSpool({ disk });
  const micros: number[] = [];
  const count = Math.max(1000, APPENDS * scale);
  for (let seq = 1; seq <= count; seq += 1) {
    const intent = anIntent('bench', seq);
    const began = performance.now();
    spool.intent(intent);
    micros.push((performance.now() - began) * 1000);
    spool.settle(aSettledEvent(intent));
    spool.acked('bench', [seq]);
  }
  spool.close();
  disk.close();
  // The first part is the compiler's.
  const warm = micros.slice(micros.length / 4);
  const bare = bareWrites(join(dir, 'bare'), warm.length);
  return Promise.resolve([
    {
      what: 'spool append, p50, µs',
      value: percentile(warm, 50),
      goal: below(5),
      beside: `p99 ${percentile(warm, 99).toFixed(1)} µs; a bare write(2) of as many bytes ${percentile(bare, 50).toFixed(1)} µs`,
      next: 'a smaller record: the head of an intent is most of its bytes, and is encoded for each',
    },
  ]);
};

const bareWrites = (path: string, count: number): number[] => {
  const file = openSync(path, 'a');
  const bytes = Buffer.alloc(RECORD_BYTES, 'x');
  const micros: number[] = [];
  for (let write = 0; write < count; write += 1) {
    const began = performance.now();
    writeSync(file, bytes);
    micros.push((performance.now() - began) * 1000);
  }
  closeSync(file);
  return micros;
};
