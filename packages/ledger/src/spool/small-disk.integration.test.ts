/** A real disk of 512 KiB. Needs root for `mount`; else run `sudo unshare -m make test`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFileDisk } from './file-disk.ts';
import { openSpool, type Spool } from './spool.ts';
import { anEvent, anIntent } from './testing/an-event.ts';

const DISK_BYTES = 512 << 10;
let mountPoint = '';
const folder = (): string => join(mountPoint, 'spool');

const mount = (): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${String(DISK_BYTES)}`, 'tmpfs', mountPoint]).status === 0;
const unmount = (...flags: string[]): boolean => spawnSync('umount', [...flags, mountPoint]).status === 0;

const canMount = ((): boolean => {
  mountPoint = mkdtempSync(join(tmpdir(), 'tollgate-can-mount-'));
  const can = mount() && unmount();
  rmSync(mountPoint, { recursive: true });
  return can;
})();

beforeEach(() => {
  mountPoint = mkdtempSync(join(tmpdir(), 'tollgate-small-disk-'));
});
afterEach(() => {
  unmount('-l');
  rmSync(mountPoint, { recursive: true });
});

const fillUp = (spool: Spool, from: number): { readonly next: number; readonly fault: unknown } => {
  for (let seq = from; ; seq += 1) {
    try {
      spool.intent(anIntent(seq));
    } catch (fault) {
      return { next: seq, fault };
    }
  }
};

(canMount ? describe : describe.skip)('a spool on a small disk', () => {
  it('stops at 90 % of what the disk has, settles everything that is open, and goes on after it was acknowledged', () => {
    mount();
    const spool = openSpool({ disk: openFileDisk(folder()) });
    const { next, fault } = fillUp(spool, 1);
    expect(fault).toMatchObject({ kind: 'full' });
    for (let seq = 1; seq < next; seq += 1) spool.settle(anEvent(seq));
    expect(spool.stats()).toMatchObject({ writeFaults: 0, unacked: next - 1 });
    spool.acked('i1', [...spool.life('i1').unacked.keys()]);
    expect(fillUp(spool, next).next - next).toBeGreaterThan(next / 2);
    spool.close();
  });

  it('filled up by others keeps settlements in memory, starts anew there, and writes them once there is room', () => {
    mount();
    const spool = openSpool({ disk: openFileDisk(folder()) });
    for (let seq = 1; seq <= 40; seq += 1) spool.intent(anIntent(seq));
    const hog = join(mountPoint, 'hog');
    const { bavail, bsize } = statfsSync(mountPoint);
    writeFileSync(hog, Buffer.alloc(bavail * bsize));
    const { fault } = fillUp(spool, 41);
    expect(fault).toMatchObject({ kind: 'write', cause: expect.anything() as unknown });
    const settle = (): void => {
      for (let seq = 1; seq <= 20; seq += 1) spool.settle(anEvent(seq));
    };
    expect(settle).toThrow('could not take');
    for (let seq = 2; seq <= 20; seq += 1) expect(() => spool.settle(anEvent(seq))).toThrow('could not take');
    expect(spool.stats().unacked).toBe(20);
    expect(spool.sealed([...spool.life('i1').unacked.values()])).toHaveLength(20);
    spool.tend();
    expect(spool.trouble()).toBe('disk');
    unlinkSync(hog);
    spool.tend();
    expect(spool.trouble()).toBeNull();
    spool.close();
    writeFileSync(hog, Buffer.alloc(statfsSync(mountPoint).bavail * bsize));
    const after = openSpool({ disk: openFileDisk(folder()) });
    expect(after.stats()).toMatchObject({ open: after.life('i1').open.size, unacked: 20 });
    expect(after.life('i1').open.has(1)).toBe(false);
    expect(after.trouble()).not.toBeNull();
    unlinkSync(hog);
    after.tend();
    expect(after.trouble()).toBeNull();
    after.close();
  });

  it('that is unmounted under it is noticed, and what it knew goes to the folder that is there now', () => {
    mount();
    const spool = openSpool({ disk: openFileDisk(folder()) });
    spool.epoch('i1', 'e1');
    spool.intent(anIntent(1));
    spool.intent(anIntent(2));
    spool.settle(anEvent(2));
    expect(unmount('-l')).toBe(true);
    spool.tend();
    expect(spool.trouble()).toBeNull();
    spool.intent(anIntent(3));
    spool.close();
    const after = openSpool({ disk: openFileDisk(folder()) });
    expect([[...after.life('i1').open.keys()], [...after.life('i1').unacked.keys()]]).toEqual([[1, 3], [2]]);
    after.close();
  });
});
