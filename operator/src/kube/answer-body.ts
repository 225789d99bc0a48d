/** The two ways in which the API server answers: one JSON text, or a line of JSON per event for as long as it watches. */
import type { Readable } from 'node:stream';

/** The whole text. Rejects where the connection breaks before its end. */
export const readText = async (body: Readable): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
};

const NEWLINE = 0x0a;

/** Lines as they come; what stands after the last newline was cut off and is left out. Stopping early ends the connection. */

export async function* readLines(body: Readable): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  for await (const part of body) {
    let rest = part as Buffer;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      begun.push(rest.subarray(0, end));
      const line = Buffer.concat(begun).toString('utf8');
      begun = [];
      rest = rest.subarray(end + 1);
      if (line !== '') yield line;
    }
    if (rest.length > 0) begun.push(rest);
  }
}
