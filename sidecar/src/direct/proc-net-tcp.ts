/**
 * Sockets of a network namespace as the kernel lists them in `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)): addresses are
 * hexadecimal, each word of 32 bits in the byte order of the machine, ports always in that of the network. Pure.
 */
import { canonicalAddress, dotted } from './ip-address.ts';

/** One that is open to the other side, or about to be. */
export interface OpenSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Which socket it is, as its process's file descriptors name it. */
  readonly inode: string;
}

/** TCP_ESTABLISHED and TCP_SYN_SENT of the kernel's tcp_states.h. */
const OPEN: ReadonlySet<string> = new Set(['01', '02']);
const LISTEN = '0A';
/** sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
const LOCAL = 1;
const REMOTE = 2;
const STATE = 3;
const INODE = 9;

/** Lines that are none of a socket are left out: the heading, and what a later kernel may add. */
export const openSockets = (table: string, isLittleEndian: boolean): readonly OpenSocket[] =>
  table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, hex = '', port = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(fields[REMOTE] ?? '') ?? [];
    const inode = fields[INODE];
    if (hex === '' || inode === undefined || !OPEN.has(fields[STATE] ?? '')) return [];
    return [{ remoteAddress: addressOf(hex, isLittleEndian), remotePort: parseInt(port, 16), inode }];
  });

/** Ports on which some process of the network namespace waits for connections. */
export const listeningPorts = (table: string): readonly number[] =>
  table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const port = /^[0-9A-F]+:([0-9A-F]{4})$/i.exec(fields[LOCAL] ?? '')?.[1];
    return port === undefined || fields[STATE] !== LISTEN ? [] : [parseInt(port, 16)];
  });

const addressOf = (hex: string, isLittleEndian: boolean): string => {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (isLittleEndian ? reversed(word) : word));
  const [first = ''] = words;
  if (words.length === 1) return dotted(parseInt(first, 16));
  return canonicalAddress(words.map((word) => `${word.slice(0, 4)}:${word.slice(4)}`).join(':'));
};

const reversed = (word: string): string => (word.match(/../g) ?? []).reverse().join('');
