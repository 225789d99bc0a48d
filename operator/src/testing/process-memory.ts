/** Resident memory of a process, from /proc. Linux only. */
import { readFile } from 'node:fs/promises';

export interface ResidentMemory {
  /** MiB. */
  readonly now: number;
  /** The highest so far. */
  readonly peak: number;
}

export const residentMemory = async (pid: number): Promise<ResidentMemory> => {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  const mebibytes = (field: string): number => {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    if (kibibytes === undefined) throw new Error(`/proc/${String(pid)}/status has no ${field}`);
    return Number(kibibytes) / 1024;
  };
  return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
};
