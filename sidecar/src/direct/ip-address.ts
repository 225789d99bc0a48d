/** One text for one address, whoever wrote it: for comparing, and for nothing else. Pure. */
export const canonicalAddress = (address: string): string => {
  const bare = address.replace(/^\[|\]$|%.*$/g, '').toLowerCase();
  if (!bare.includes(':')) return bare;
  const url = `http://[${bare}]`;
  if (!URL.canParse(url)) return bare;
  const short = new URL(url).hostname.slice(1, -1);
  // IPv4 as a socket that takes both has it.
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  return high === undefined || low === undefined ? short : dotted((parseInt(high, 16) << 16) | parseInt(low, 16));
};

/** Of 32 bits, the first byte highest. */
export const dotted = (bits: number): string => [24, 16, 8, 0].map((shift) => String((bits >>> shift) & 255)).join('.');
