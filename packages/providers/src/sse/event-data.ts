/** The `data` of an event: where it stands, or (several data lines) joined by LF in a buffer of its own. */
export interface EventData {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Reads the lines of one event (or what is left of one at the end of a stream); null = it has no data. */
export const eventData = (bytes: Buffer, start: number, end: number): EventData | null => {
  let found: EventData | null = null;
  let at = start + markLength(bytes, start);
  while (at < end) {
    const lineEnd = endOfLine(bytes, at, end);
    const value = dataStart(bytes, at, lineEnd);
    if (value >= 0)
      found = found === null ? { bytes, start: value, end: lineEnd } : joined(found, bytes.subarray(value, lineEnd));
    at = lineEnd + 1;
  }
  return found;
};

/** A byte order mark may open the stream; in front of any other event it is no field name, so that nothing is lost. */
const markLength = (bytes: Buffer, at: number): number =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0;

/** A CR ends a line as well; looked for inside the line only, so that each byte is passed over once. */
const endOfLine = (bytes: Buffer, from: number, end: number): number => {
  const lf = bytes.indexOf(LF, from);
  const stop = lf < 0 || lf > end ? end : lf;
  if (stop === from) return stop;
  const cr = bytes.subarray(from, stop).indexOf(CR);
  return cr < 0 ? stop : from + cr;
};

/** Where the value of a `data` line begins; -1 for any other line. */
const dataStart = (bytes: Buffer, at: number, lineEnd: number): number => {
  if (bytes[at] !== 0x64 || bytes[at + 1] !== 0x61 || bytes[at + 2] !== 0x74 || bytes[at + 3] !== 0x61) return -1;
  if (at + 4 === lineEnd) return lineEnd;
  if (bytes[at + 4] !== COLON) return -1;
  return bytes[at + 5] === SPACE && at + 5 < lineEnd ? at + 6 : at + 5;
};

const joined = (first: EventData, more: Buffer): EventData => {
  const bytes = Buffer.concat([first.bytes.subarray(first.start, first.end), Buffer.from([LF]), more]);
  return { bytes, start: 0, end: bytes.length };
};
