/** Width and height in pixels as the file's header states them: what decoders, and so prices, go by. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** 'more' = the header goes on beyond these bytes; null = not a PNG, JPEG, GIF or WebP, or a broken one. */
export const imageSize = (bytes: Buffer): ImageSize | 'more' | null => {
  if (bytes.length < 32) return 'more';
  if (bytes.readUInt32BE(0) === 0x89504e47) return png(bytes);
  if (bytes.readUInt16BE(0) === 0xffd8) return jpeg(bytes);
  const tag = bytes.toString('latin1', 0, 4);
  if (tag === 'GIF8') return gif(bytes);
  if (tag === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return webp(bytes);
  return null;
};

const sized = (width: number, height: number): ImageSize | null => (width > 0 && height > 0 ? { width, height } : null);

/** IHDR comes first: https://www.w3.org/TR/png-3/#11IHDR */
const png = (bytes: Buffer): ImageSize | null =>
  bytes.toString('latin1', 12, 16) === 'IHDR' ? sized(bytes.readUInt32BE(16), bytes.readUInt32BE(20)) : null;

/** The first start-of-frame segment; a thumbnail lies inside an APP segment, which is stepped over whole (ITU T.81, B.1). */
const jpeg = (bytes: Buffer): ImageSize | 'more' | null => {
  for (let at = 2; ;) {
    if (at + 9 > bytes.length) return 'more';
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isStartOfFrame(marker)) return sized(bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5));
    if (marker === 0xda || marker === 0xd9) return null;
    const hasLength = marker !== 0x01 && (marker < 0xd0 || marker > 0xd8);
    at += 2 + (hasLength ? bytes.readUInt16BE(at + 2) : 0);
  }
};

/** C0–CF but for the tables and restart markers among them: C4 (DHT), C8 (JPG), CC (DAC). */
const isStartOfFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** The logical screen, or the first frame where that is larger (decoders grow the picture to it). */
const gif = (bytes: Buffer): ImageSize | 'more' | null => {
  const width = bytes.readUInt16LE(6);
  const height = bytes.readUInt16LE(8);
  const flags = bytes[10] ?? 0;
  let at = 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  while (bytes[at] === 0x21) {
    at += 2;
    while ((bytes[at] ?? 0) > 0) at += 1 + (bytes[at] ?? 0);
    at += 1;
  }
  if (at + 9 > bytes.length) return 'more';
  if (bytes[at] !== 0x2c) return null;
  const right = bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5);
  const bottom = bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7);
  return sized(Math.max(width, right), Math.max(height, bottom));
};

/** https://developers.google.com/speed/webp/docs/riff_container: VP8X canvas, VP8 key frame, VP8L header. */
const webp = (bytes: Buffer): ImageSize | null => {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return sized(bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1);
  if (kind === 'VP8 ') return sized(bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff);
  if (kind !== 'VP8L') return null;
  const bits = bytes.readUInt32LE(21);
  return sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
};
