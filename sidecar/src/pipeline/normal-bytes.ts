/** The bytes of a body after NFKC; of a long body a part at a time, so that other calls go on in between. */
import { setImmediate as turn } from 'node:timers/promises';
import { nfkcBytes } from '@tollgate/metering';

/** 4 MiB take 10 ms. No part is short enough to be normalised, which is not the same in parts as in whole. */
const PART_BYTES = 4 * 1024 * 1024;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

export const normalBytes = (body: Buffer): number | Promise<number> =>
  body.length < 2 * PART_BYTES ? nfkcBytes(body) : inParts(body);

const inParts = async (body: Buffer): Promise<number> => {
  let bytes = 0;
  for (let at = 0; at < body.length;) {
    let end = body.length - at < 2 * PART_BYTES ? body.length : at + PART_BYTES;
    // No escape is cut in two.
    if (body[end - 1] === BACKSLASH && body[end] === LETTER_U) end += 1;
    bytes += nfkcBytes(body.subarray(at, end));
    at = end;
    await turn();
  }
  return bytes;
};
