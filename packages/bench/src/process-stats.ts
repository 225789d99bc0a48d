/** CPU and memory of processes from /proc: the figures that other load on the machine disturbs least. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on (proc(5)). */
const TICK_US = 10_000;

/** Microseconds of user and system time since each process started, added up. */
export const cpuMicros = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = statFields(pid);
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US;
  }, 0);

/** MiB of resident memory, and its highest value so far. */
export const memoryMiB = (pids: readonly number[]): { readonly now: number; readonly peak: number } => {
  let now = 0;
  let peak = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    now += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    peak += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }
  return { now, peak };
};

export const childrenOf = (pid: number): number[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return Number(statFields(Number(name))[1]) === pid ? [Number(name)] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });

/** Fields after the command's name, which may itself hold spaces: [0] is the state, [1] the parent, [11] utime, [12] stime. */
const statFields = (pid: number): string[] => {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};
