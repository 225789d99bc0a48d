/** A disk in memory, of a size of its own: one that can be full while the machine's is not. */
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  /** False: we may not mount, and the folder is on the machine's disk, which is not ours to fill. */
  readonly isOwn: boolean;
  /** Leaves less than a page free. */
  fill(): void;
  free(): void;
  release(): void;
}

export const mountSmallDisk = (at: string, size: string): SmallDisk => {
  const isOwn = mount(at, size);
  const ballast = join(at, 'ballast');
  return {
    isOwn,
    fill: () => {
      for (let tries = 0; isOwn && tries < TRIES; tries += 1) {
        const { bavail, bsize } = statfsSync(at);
        // Somebody else may take some of it in between.
        if (bavail === 0 || fills(ballast, bavail * bsize)) return;
      }
    },
    free: () => rmSync(ballast, { force: true }),
    release: () => {
      if (isOwn) execFileSync('umount', ['-l', at]);
    },
  };
};

const TRIES = 10;

const fills = (file: string, bytes: number): boolean => {
  try {
    execFileSync('fallocate', ['-l', String(bytes), file], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const mount = (at: string, size: string): boolean => {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
