/**
 * Preloaded into the proxies of the rig (`node --import`), and known to nobody else: on SIGUSR2 it reads at which write of
 * the spool this process is to die, and then it dies there as by kill -9: before the write, with half of it on the disk, or
 * right behind it, before the effect that the record stands for.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** P epoch, L lease, I intent, S settle, C closed, A acknowledged; `begin`: a new file of it; `remove`: one that is done with. */
export type SpoolPoint = 'P' | 'L' | 'I' | 'S' | 'C' | 'A' | 'begin' | 'remove';

export interface CrashPlan {
  readonly point: SpoolPoint;
  readonly when: 'before' | 'half' | 'after';
  /** At the n-th such write from now on. */
  readonly nth: number;
}

/** u32 length, u32 checksum, and then the letter of the record. */
const LETTER_AT = 8;

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // The signal is on its way.
};

const lettersOf = (bytes: Buffer): readonly string[] => {
  const letters: string[] = [];
  for (let at = 0; at + LETTER_AT < bytes.length; at += LETTER_AT + bytes.readUInt32LE(at)) {
    letters.push(String.fromCharCode(bytes[at + LETTER_AT] ?? 0));
  }
  return letters;
};

const install = (planFile: string): void => {
  let plan: CrashPlan | null = null;
  let left = 0;
  process.on('SIGUSR2', () => {
    plan = JSON.parse(fs.readFileSync(planFile, 'utf8')) as CrashPlan;
    left = plan.nth;
  });
  /** The plan, if it is for this very write. */
  const isDue = (points: readonly string[]): CrashPlan | null => {
    if (plan === null || !points.includes(plan.point)) return null;
    left -= 1;
    return left <= 0 ? plan : null;
  };

  const writeSync = fs.writeSync.bind(fs) as (fd: number, bytes: Buffer, at: number, length: number) => number;
  const patchedWrite = (fd: number, ...rest: unknown[]): number => {
    const [bytes, at = 0, length] = rest;
    if (plan === null || !Buffer.isBuffer(bytes) || typeof at !== 'number')
      return (writeSync as (...all: unknown[]) => number)(fd, ...rest);
    const size = typeof length === 'number' ? length : bytes.length - at;
    const due = isDue(lettersOf(bytes.subarray(at, at + size)));
    if (due === null) return writeSync(fd, bytes, at, size);
    if (due.when !== 'before') writeSync(fd, bytes, at, due.when === 'half' ? Math.floor(size / 2) : size);
    return die();
  };
  const around = <Args extends [fs.PathLike, ...unknown[]], Result>(
    point: SpoolPoint,
    isMeant: (path: fs.PathLike) => boolean,
    work: (...args: Args) => Result,
  ) => {
    return (...args: Args): Result => {
      const due = isMeant(args[0]) ? isDue([point]) : null;
      if (due === null) return work(...args);
      if (due.when !== 'before') work(...args);
      return die();
    };
  };
  const isSpoolFile = (path: fs.PathLike): boolean => /spool-[0-9]+\.log$/.test(String(path));
  const isNew = (path: fs.PathLike): boolean => isSpoolFile(path) && !fs.existsSync(path);
  const openSync = fs.openSync.bind(fs);
  const rmSync = fs.rmSync.bind(fs);
  Object.assign(fs, {
    writeSync: patchedWrite,
    openSync: around('begin', isNew, openSync),
    rmSync: around('remove', isSpoolFile, rmSync),
  });
  syncBuiltinESMExports();
};

const planFile = process.env['FAULT_CRASH_PLAN'];
if (isMainThread && planFile !== undefined) install(planFile);
