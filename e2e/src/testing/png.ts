/** A PNG of a stated size, as a data URL: a true header, and noise instead of pixels, which nobody decodes. */
export const pngUrl = (width: number, height: number, bytes: number): string => {
  const head = Buffer.from('89504e470d0a1a0a0000000d494844520000000000000000080200000000000000', 'hex');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return `data:image/png;base64,${Buffer.concat([head, Buffer.alloc(bytes, 'noise')]).toString('base64')}`;
};
