import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { clusterProcesses, readProcessTable, type ProcessEntry } from './process-table.ts';

const SOCKET = '/cache/cluster/run/containerd.sock';
const entry = (pid: number, parent: number, ...command: readonly string[]): ProcessEntry => ({ pid, parent, command });

const TABLE: readonly ProcessEntry[] = [
  entry(1, 0, 'init'),
  entry(10, 1, '/cache/bin/kubelet', '--config=x'),
  entry(20, 1, '/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-address', SOCKET),
  entry(21, 20, '/pause'),
  entry(22, 20, 'node', '/app/proxy.js'),
  entry(23, 22, 'sh'),
  entry(30, 1, '/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-address', '/run/containerd/containerd.sock'),
  entry(31, 30, 'nginx'),
  entry(40, 1, 'tail', '-f', '/cache/cluster/run/kubelet.log'),
  entry(41, 1, 'ctr', '-a', SOCKET, 'images', 'ls'),
];

describe('the processes of the cluster', () => {
  it('are those of its network, the keepers of its containers, and all below these', () => {
    const ours = clusterProcesses(TABLE, { inNamespace: new Set([10]), containerdSocket: SOCKET });
    expect([...ours].sort((a, b) => a - b)).toEqual([10, 20, 21, 22, 23]);
  });

  it('are none where neither is there, whatever names the folder', () => {
    expect(clusterProcesses(TABLE, { inNamespace: new Set(), containerdSocket: '/another.sock' })).toEqual([]);
  });
});

describe('the table of processes', () => {
  it('has this process, and a child with its parent and its words', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const table = readProcessTable();
    child.kill('SIGKILL');
    expect(table.find(({ pid }) => pid === child.pid)).toEqual({
      pid: child.pid,
      parent: process.pid,
      command: ['sleep', '60'],
    });
  });
});
