import { describe, expect, it } from '@jest/globals';
import { base64ImageSize, pictureUrl } from './inline-image.ts';
import { imageSize } from './image-size.ts';

/** Headers made by hand from the formats' own descriptions. */
const u16be = (n: number) => [n >> 8, n & 255];
const u16le = (n: number) => [n & 255, n >> 8];
const u24le = (n: number) => [n & 255, (n >> 8) & 255, n >> 16];
const u32be = (n: number) => [...u16be(n >>> 16), ...u16be(n & 65535)];
const text = (word: string) => [...Buffer.from(word)];
const padded = (bytes: number[], length = 64) =>
  Buffer.concat([Buffer.from(bytes), Buffer.alloc(Math.max(0, length - bytes.length))]);

const png = (w: number, h: number) =>
  padded([0x89, ...text('PNG\r\n\x1a\n'), ...u32be(13), ...text('IHDR'), ...u32be(w), ...u32be(h)]);
const segment = (marker: number, length: number) => [
  0xff,
  marker,
  ...u16be(length + 2),
  ...Array<number>(length).fill(0x11),
];
const jpeg = (w: number, h: number, before: number[] = []) =>
  padded([0xff, 0xd8, ...before, 0xff, 0xc0, ...u16be(17), 8, ...u16be(h), ...u16be(w), 3]);
const gif = (w: number, h: number, rest: number[]) =>
  padded([...text('GIF89a'), ...u16le(w), ...u16le(h), 0, 0, 0, ...rest]);
const frame = (x: number, y: number, w: number, h: number) => [
  0x2c,
  ...u16le(x),
  ...u16le(y),
  ...u16le(w),
  ...u16le(h),
  0,
];
const riff = (kind: string, rest: number[]) =>
  padded([...text('RIFF'), 0, 0, 0, 0, ...text('WEBP'), ...text(kind), 0, 0, 0, 0, ...rest]);

describe('imageSize', () => {
  it.each([
    ['a PNG', png(640, 480), { width: 640, height: 480 }],
    ['a JPEG', jpeg(800, 600), { width: 800, height: 600 }],
    ['a JPEG with a thumbnail in front', jpeg(800, 600, segment(0xe1, 5000)), { width: 800, height: 600 }],
    [
      'a JPEG with fill bytes and a restart marker',
      jpeg(8, 6, [0xff, 0xff, 0xfe, 0, 3, 1, 0xff, 0xd1]),
      { width: 8, height: 6 },
    ],
    ['a GIF', gif(10, 20, frame(0, 0, 10, 20)), { width: 10, height: 20 }],
    ['a GIF whose frame is larger than its screen', gif(1, 1, frame(5, 5, 2000, 3000)), { width: 2005, height: 3005 }],
    [
      'a GIF with an extension first',
      gif(10, 20, [0x21, 0xf9, 2, 1, 1, 0, ...frame(0, 0, 10, 20)]),
      { width: 10, height: 20 },
    ],
    ['a lossy WebP', riff('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, ...u16le(300), ...u16le(200)]), { width: 300, height: 200 }],
    ['an extended WebP', riff('VP8X', [0, 0, 0, 0, ...u24le(69_999), ...u24le(9)]), { width: 70_000, height: 10 }],
    ['an empty PNG', png(0, 5), null],
    ['a PNG without its header', padded([0x89, ...text('PNG\r\n\x1a\n'), ...u32be(13), ...text('IDAT')]), null],
    ['a JPEG that is not one', padded([0xff, 0xd8, 0x00]), null],
    ['a JPEG whose picture comes before its size', padded([0xff, 0xd8, 0xff, 0xda, 0, 2]), null],
    ['a GIF without a frame', gif(10, 20, [0x3b]), null],
    ['an unknown WebP', riff('WHAT', []), null],
    ['a text', padded(text('hello')), null],
    ['too little', Buffer.from([0x89]), 'more'],
    ['a JPEG that goes on', jpeg(1, 1, segment(0xe1, 5000)).subarray(0, 4000), 'more'],
    ['a GIF that goes on', padded([...text('GIF89a'), ...u16le(1), ...u16le(1), 0x87, 0, 0]), 'more'],
  ])('reads %s', (_, bytes, size) => {
    expect(imageSize(bytes)).toEqual(size);
  });

  it('reads VP8L with its height in the upper bits', () => {
    // 14 bits of width - 1, then 14 bits of height - 1.
    const bits = 99 | (199 << 14);
    expect(imageSize(riff('VP8L', [0x2f, bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, bits >>> 24]))).toEqual({
      width: 100,
      height: 200,
    });
  });
});

describe('base64ImageSize', () => {
  const sizeOf = (base64: string) => base64ImageSize(Buffer.from(`"${base64}"`), 1, base64.length + 1);

  it('decodes as much as the header needs', () => {
    expect(sizeOf(png(640, 480).toString('base64'))).toEqual({ width: 640, height: 480 });
    expect(sizeOf(jpeg(7, 9, segment(0xe1, 60_000)).toString('base64'))).toEqual({ width: 7, height: 9 });
  });

  it('reads base64 whose slashes are escaped', () => {
    const base64 = jpeg(7, 9, [0xff, 0xfe, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).toString('base64');
    expect(base64).toContain('/');
    expect(sizeOf(base64.replaceAll('/', '\\/'))).toEqual({ width: 7, height: 9 });
  });

  it('gives up on what is too short or no picture', () => {
    expect(sizeOf('AAAA')).toBeNull();
    expect(sizeOf(Buffer.alloc(100_000, 'x').toString('base64'))).toBeNull();
    expect(
      sizeOf(jpeg(7, 9, Array.from({ length: 10 }, () => segment(0xe1, 65_000)).flat()).toString('base64')),
    ).toBeNull();
  });
});

describe('pictureUrl', () => {
  it.each([
    ['https://example.com/a.png', { kind: 'remote' }],
    ['https:\\/\\/example.com\\/a.png', { kind: 'remote' }],
    ['data:image/png;base64,AAAA', { kind: 'image', start: 22 }],
    ['data:image\\/png;base64,AAAA', { kind: 'image', start: 23 }],
    ['DATA:Image/PNG;Base64,AAAA', { kind: 'image', start: 22 }],
    ['data:image/svg+xml;charset=utf-8;base64,AAAA', { kind: 'image', start: 40 }],
    ['data:application/pdf;base64,AAAA', { kind: 'other' }],
    ['\\u0064ata:image/png;base64,AAAA', { kind: 'other' }],
    ['data:image/svg+xml,<svg/>', { kind: 'other' }],
    ['gs://bucket/file', { kind: 'other' }],
    ['', { kind: 'other' }],
  ])('takes %j for %j', (url, expected) => {
    expect(pictureUrl(Buffer.from(url), 0, url.length)).toEqual(expected);
  });
});
