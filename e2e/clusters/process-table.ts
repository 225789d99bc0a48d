/** Which processes are the cluster's: those of its network namespace, its containers' keepers, and all that these started. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

export interface ClusterMarks {
  /** Processes that run in the cluster's network namespace. */
  readonly inNamespace: ReadonlySet<number>;
  /** The socket of its containerd: each keeper of a container was started with its path. */
  readonly containerdSocket: string;
}

/** Pure. Children included, since what a container runs has a namespace of its own. */
export const clusterProcesses = (
  table: readonly ProcessEntry[],
  { inNamespace, containerdSocket }: ClusterMarks,
): readonly number[] => {
  const ours = new Set<number>();
  const isRoot = ({ pid, command }: ProcessEntry): boolean =>
    inNamespace.has(pid) || ((command[0] ?? '').includes('containerd-shim') && command.includes(containerdSocket));
  const childrenOf = Map.groupBy(table, ({ parent }) => parent);
  const take = (entry: ProcessEntry): void => {
    if (ours.has(entry.pid)) return;
    ours.add(entry.pid);
    for (const child of childrenOf.get(entry.pid) ?? []) take(child);
  };
  for (const entry of table) if (isRoot(entry)) take(entry);
  return [...ours];
};

export const readProcessTable = (): readonly ProcessEntry[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The name in brackets may itself hold spaces and brackets: the fields are counted from the last one.
        const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
        return [{ pid: Number(name), parent: Number(fields[1]), command }];
      } catch {
        // Ended while we looked.
        return [];
      }
    });
