import { describe, expect, it } from '@jest/globals';
import { canonicalAddress } from './ip-address.ts';
import { listeningPorts, openSockets } from './proc-net-tcp.ts';

/** As Linux 6.1 on x86-64 writes it. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1004 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532        0 101 1 0000000000000000 100 0 0 10 0
   1: 0A00F40A:D431 F58C9FA2:01BB 01 00000000:00000000 02:00000A1B 00000000  1000        0 102 2 0000000000000000 20 4 30 10 -1
   2: 0A00F40A:D432 F58C9FA2:01BB 02 00000001:00000000 01:0000003F 00000000  1000        0 103 2 0000000000000000 200 0 0 1 7
   3: 0A00F40A:D433 F58C9FA2:01BB 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000
`;

const TABLE_6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 201 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000001000000:C0DE 00470626000000000000000011111168:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 202 1 0000000000000000 20 0 0 10 -1
   2: 0000000000000000FFFF00000A00F40A:C0DF 0000000000000000FFFF0000F58C9FA2:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 203 1 0000000000000000 20 0 0 10 -1
`;

describe('the kernel table of TCP sockets', () => {
  it('gives what is established or being opened, and leaves out what listens or is over', () => {
    expect(openSockets(TABLE, true)).toEqual([
      { remoteAddress: '162.159.140.245', remotePort: 443, inode: '102' },
      { remoteAddress: '162.159.140.245', remotePort: 443, inode: '103' },
    ]);
  });

  it('gives IPv6 word by word, and IPv4 in it as IPv4', () => {
    expect(openSockets(TABLE_6, true)).toEqual([
      { remoteAddress: '2606:4700::6811:1111', remotePort: 443, inode: '202' },
      { remoteAddress: '162.159.140.245', remotePort: 443, inode: '203' },
    ]);
  });

  it('gives the ports that somebody listens on', () => {
    expect([listeningPorts(TABLE), listeningPorts(TABLE_6)]).toEqual([[4100], [8080]]);
  });

  it('is read in the byte order of the machine', () => {
    const line = '   1: 0AF4000A:D431 A29F8CF5:01BB 01 0:0 0:0 0 1000 0 102 2';
    expect(openSockets(line, false)).toEqual([{ remoteAddress: '162.159.140.245', remotePort: 443, inode: '102' }]);
  });

  it.each(['', '\n\n', 'sl local rem st', '0: 1:2 3:4 01 5 6 7 8 9 10', '0: 0100007F:1004 XYZ:01BB 01 0 0 0 0 0 9'])(
    'has no socket in %j',
    (table) => {
      expect(openSockets(table, true)).toEqual([]);
    },
  );
});

describe('an address', () => {
  it.each([
    ['2606:4700:0:0:0:0:6811:1111', '2606:4700::6811:1111'],
    ['2606:4700::6811:1111', '2606:4700::6811:1111'],
    ['FE80::1%eth0', 'fe80::1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::ffff:a00:7', '10.0.0.7'],
    ['[::1]', '::1'],
    ['10.0.0.7', '10.0.0.7'],
    ['not:an:address', 'not:an:address'],
  ])('%s is %s', (written, canonical) => {
    expect(canonicalAddress(written)).toBe(canonical);
  });
});
