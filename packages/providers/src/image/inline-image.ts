import { imageSize, type ImageSize } from './image-size.ts';

/**
 * Reads the dimensions of a base64 image where it stands in the body: only as much is decoded as its header needs
 * (usually the first 4 KiB; a JPEG may carry a profile and a thumbnail first). Null = cannot be read.
 */
export const base64ImageSize = (body: Buffer, start: number, end: number): ImageSize | null => {
  for (const length of PREFIXES) {
    const stop = Math.min(end, start + length);
    // PHP writes `\/` for `/`; the cut may fall inside that pair, and a lone backslash is no base64 letter: ignored.
    const text = body.toString('latin1', start, stop).replaceAll('\\/', '/');
    const size = imageSize(Buffer.from(text, 'base64'));
    if (size !== 'more') return size;
    if (stop === end) return null;
  }
  return null;
};

const PREFIXES = [4096, 1 << 16, 1 << 19];

/** What a URL of a picture turns out to be. `start` is where the base64 begins. */
export type PictureUrl =
  { readonly kind: 'remote' } | { readonly kind: 'image'; readonly start: number } | { readonly kind: 'other' };

/**
 * Looks at the first bytes of a URL as written in the body. A data URL of another media type (a PDF, a video), one that
 * is not base64, or one whose beginning is written with escapes is 'other': nothing bounds what that stands for.
 */
export const pictureUrl = (body: Buffer, start: number, end: number): PictureUrl => {
  const written = body.toString('latin1', start, Math.min(end, start + 96));
  const head = written.replaceAll('\\/', '/').toLowerCase();
  if (/^https?:/.test(head)) return { kind: 'remote' };
  const match = /^data:image\/[a-z0-9.+-]{1,32}(?:;[a-z0-9=.+-]{0,32})?;base64,/.exec(head);
  if (match === null) return { kind: 'other' };
  return { kind: 'image', start: start + written.indexOf(',') + 1 };
};
