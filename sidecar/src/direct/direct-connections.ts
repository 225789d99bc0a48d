/**
 * Which of a pod's connections go to a provider past its proxy. All containers of a pod share one network namespace, so
 * the proxy sees the sockets of the others beside its own. Pure.
 */
import type { DirectConnections } from '@tollgate/ledger';
import type { OpenSocket } from './proc-net-tcp.ts';
import type { SocketTables } from './socket-tables.ts';

/** Where calls are meant to go by way of the proxy. */
export interface ProviderHost {
  readonly host: string;
  readonly ports: readonly number[];
  /** Canonical; all that the name was seen to mean of late. */
  readonly addresses: ReadonlySet<string>;
}

/** What another process may dial: loopback is within the pod, and leads to the proxy itself. */
export const foreignSockets = (
  { sockets, own }: Pick<SocketTables, 'sockets' | 'own'>,
  targets: readonly Pick<ProviderHost, 'ports'>[],
): readonly OpenSocket[] =>
  sockets.filter(
    ({ inode, remoteAddress, remotePort }) =>
      !own.has(inode) && !isLoopback(remoteAddress) && targets.some(({ ports }) => ports.includes(remotePort)),
  );

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** By host, in the order of the hosts. An address that several hosts share counts for the first of them. */
export const directConnections = (
  foreign: readonly OpenSocket[],
  hosts: readonly ProviderHost[],
): readonly DirectConnections[] => {
  const counts = new Map<string, number>();
  for (const { remoteAddress, remotePort } of foreign) {
    const found = hosts.find(({ addresses, ports }) => ports.includes(remotePort) && addresses.has(remoteAddress));
    if (found !== undefined) counts.set(found.host, (counts.get(found.host) ?? 0) + 1);
  }
  return hosts.flatMap(({ host }) => {
    const count = counts.get(host);
    return count === undefined ? [] : [{ host, count }];
  });
};
