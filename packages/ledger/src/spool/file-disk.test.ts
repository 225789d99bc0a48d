import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFileDisk, roomAt } from './file-disk.ts';
import { lockFolder } from './folder-lock.ts';
import { openSpool } from './spool.ts';
import { anEvent, anIntent } from './testing/an-event.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-spool-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const lock = (): string => join(folder, 'lock');

describe('the spool on a real disk', () => {
  it('is read back by the next process, through compaction too', () => {
    const spool = openSpool({ disk: openFileDisk(folder), segmentBytes: 4_096 });
    for (let seq = 1; seq <= 50; seq += 1) {
      spool.intent(anIntent(seq));
      spool.settle(anEvent(seq));
      if (seq > 1) spool.acked('i1', [seq]);
    }
    spool.close();
    const after = openSpool({ disk: openFileDisk(folder) });
    expect([...after.life('i1').unacked.keys()]).toEqual([1]);
    expect(after.life('i1').lastSeq).toBe(50);
    after.close();
    expect(readdirSync(folder)).toHaveLength(after.stats().files);
  });

  it('cuts a torn tail off the file', () => {
    const spool = openSpool({ disk: openFileDisk(folder) });
    spool.intent(anIntent(1));
    spool.close();
    const path = join(folder, 'spool-00000001.log');
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole, whole.subarray(0, 30)]));
    const after = openSpool({ disk: openFileDisk(folder) });
    expect(after.opened.tornBytes).toBe(30);
    after.intent(anIntent(2));
    after.close();
    expect([
      ...openSpool({ disk: openFileDisk(folder) })
        .life('i1')
        .open.keys(),
    ]).toEqual([1, 2]);
  });

  it('knows no room where the file system tells none', () => {
    expect([roomAt('/proc'), roomAt(folder)]).toEqual([null, expect.any(Number)]);
  });

  it('says what a broken disk said', () => {
    const disk = openFileDisk(folder);
    const file = disk.open('x');
    expect([disk.names().includes('x'), file.isThere()]).toEqual([true, true]);
    disk.remove('x');
    disk.remove('x');
    expect(file.isThere()).toBe(false);
    expect(disk.room()).toBeGreaterThan(0);
    file.close();
    expect(() => file.append(Buffer.from('x'))).toThrow('EBADF');
  });
});

describe('the lock of the folder', () => {
  it('keeps a second process out while the first lives, and lets it in afterwards', () => {
    const first = openFileDisk(folder);
    expect(() => openFileDisk(folder)).toThrow(expect.objectContaining({ code: 'spool_fault', kind: 'locked' }));
    first.close();
    openFileDisk(folder).close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a dead process is taken over', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    writeFileSync(lock(), `{"pid":${String(pid)},"started":"12345"}`);
    openFileDisk(folder).close();
    expect(existsSync(lock())).toBe(false);
  });

  it('of an earlier process with the same pid is taken over, as after a container restart', () => {
    writeFileSync(lock(), `{"pid":${String(process.pid)},"started":"1"}`);
    openFileDisk(folder).close();
    writeFileSync(lock(), `{"pid":${String(process.pid)},"started":null}`);
    openFileDisk(folder).close();
  });

  it('of a process that is not ours but lives is respected', () => {
    writeFileSync(lock(), '{"pid":1,"started":null}');
    expect(() => openFileDisk(folder)).toThrow('in use');
  });

  it('cannot be taken in a folder that is gone, nor read where it is a folder itself', () => {
    expect(() => lockFolder(join(folder, 'gone'))).toThrow(expect.objectContaining({ kind: 'open' }));
    mkdirSync(lock());
    expect(() => lockFolder(folder)).toThrow('EISDIR');
  });

  it('that another took over is neither held nor given back', () => {
    const first = lockFolder(folder);
    expect(first.isHeld()).toBe(true);
    unlinkSync(lock());
    expect(first.isHeld()).toBe(false);
    first.release();
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    symlinkSync(`{"pid":${String(pid)},"started":"12345"}`, lock());
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with no sense in it is nobody’s', () => {
    writeFileSync(lock(), 'what?');
    openFileDisk(folder).close();
  });

  it('is not removed by one that does not own it any more', () => {
    const disk = openFileDisk(folder);
    unlinkSync(lock());
    symlinkSync('{"pid":1,"started":null}', lock());
    disk.close();
    expect(readlinkSync(lock())).toBe('{"pid":1,"started":null}');
    expect(() => {
      disk.renew();
    }).toThrow('in use');
  });
});
