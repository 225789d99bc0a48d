/**
 * Which addresses may be dialled, checked on the address itself after the name was resolved, so that no name can point
 * the proxy at a metadata service (design §7). Link-local is never dialled; loopback and private ranges only where the
 * process was told so (standalone, in-cluster references).
 */
import { BlockList, isIP } from 'node:net';
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** RFC 3927, RFC 4291, RFC 5771, the unspecified address, and the metadata address that some clouds give in IPv6. */
const never = new BlockList();
never.addSubnet('169.254.0.0', 16);
never.addSubnet('0.0.0.0', 8);
never.addSubnet('224.0.0.0', 4);
never.addSubnet('240.0.0.0', 4);
never.addSubnet('fe80::', 10, 'ipv6');
never.addSubnet('ff00::', 8, 'ipv6');
never.addAddress('fd00:ec2::254', 'ipv6');
never.addAddress('::', 'ipv6');

/** RFC 1918, RFC 6598, RFC 4193, loopback. */
const local = new BlockList();
local.addSubnet('127.0.0.0', 8);
local.addSubnet('10.0.0.0', 8);
local.addSubnet('172.16.0.0', 12);
local.addSubnet('192.168.0.0', 16);
local.addSubnet('100.64.0.0', 10);
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');

export class ForbiddenAddress extends Error {
  readonly code = 'ERR_TOLLGATE_FORBIDDEN_ADDRESS';
}

/** May this address be dialled under this scheme (`http:` or `https:`)? */
export type AddressCheck = (address: string, protocol: string) => boolean;

export const makeAddressCheck = ({ allowPrivate }: { readonly allowPrivate: boolean }): AddressCheck =>
  function isAllowed(address, protocol) {
    const plain = unmapped(address);
    const family = isIP(plain);
    if (family === 0) return false;
    const kind = family === 6 ? 'ipv6' : 'ipv4';
    if (never.check(plain, kind)) return false;
    // A credential travels with every call, so in the clear it goes nowhere but to this machine or its own network.
    return local.check(plain, kind) ? allowPrivate : protocol === 'https:';
  };

/** `::ffff:169.254.169.254` and its hexadecimal form are IPv4 in disguise. */
const unmapped = (address: string): string => {
  const bare = address.replace(/^\[|\]$/g, '').toLowerCase();
  if (!bare.startsWith('::ffff:')) return bare;
  const rest = bare.slice(7);
  if (isIP(rest) === 4) return rest;
  const [high, low] = rest.split(':').map((part) => parseInt(part, 16));
  if (high === undefined || low === undefined) return bare;
  return `${String(high >> 8)}.${String(high & 255)}.${String(low >> 8)}.${String(low & 255)}`;
};

/** The fault of a host that is itself an address, and so is never looked up; null where it is a name or may be dialled. */
export const literalFault = (hostname: string, protocol: string, isAllowed: AddressCheck): ForbiddenAddress | null => {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 || isAllowed(host, protocol) ? null : forbidden(host, protocol);
};

const forbidden = (what: string, protocol: string): ForbiddenAddress =>
  new ForbiddenAddress(`${what} may not be dialled by ${protocol.replace(':', '')}`);

/** A `dns.lookup` that fails on a name with any forbidden address, rather than trying the others. */
export const makeCheckedLookup = (isAllowed: AddressCheck, protocol: string): LookupFunction =>
  function checkedLookup(hostname, options, callback) {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) {
        callback(error, '', 0);
        return;
      }
      const refused = addresses.find(({ address }) => !isAllowed(address, protocol));
      const first = addresses[0];
      if (refused !== undefined || first === undefined) {
        callback(forbidden(`the address of ${hostname}`, protocol), '', 0);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
