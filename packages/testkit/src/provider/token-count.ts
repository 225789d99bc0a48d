/**
 * The simulator's own tokenizer, chosen to be recomputable by hand: a text of b UTF-8 bytes is ceil(b / 4) tokens, and
 * each message adds three. It never exceeds one token a byte plus three a message; images count by their size.
 */
export const MESSAGE_TOKENS = 3;

const BYTES_PER_TOKEN = 4;

export const countText = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** What a picture of unknown size (a URL) is taken for. */
const UNKNOWN_IMAGE: ImageSize = { width: 1024, height: 1024 };

const PNG_SIGNATURE = '89504e470d0a1a0a';

/** The size in a PNG's header; any other data counts as of unknown size. */
export const pngSize = (base64: string): ImageSize => {
  const head = Buffer.from(base64.slice(0, 64), 'base64');
  if (head.length < 24 || head.toString('hex', 0, 8) !== PNG_SIGNATURE) return UNKNOWN_IMAGE;
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
};

/** The size of the picture behind a `data:` URL; a remote one is never fetched. */
export const urlImageSize = (url: string): ImageSize => {
  const comma = url.indexOf(',');
  return url.startsWith('data:') && comma > 0 ? pngSize(url.slice(comma + 1)) : UNKNOWN_IMAGE;
};

/** Patches of 32 px, at most 1,536, times the model's factor in hundredths; longer names stand before their prefixes. */
const PATCHED: readonly (readonly [prefix: string, hundredths: number])[] = [
  ['gpt-4.1-mini', 162],
  ['gpt-4.1-nano', 246],
  ['gpt-5-mini', 162],
  ['gpt-5-nano', 246],
  ['o4-mini', 172],
];
const MAX_PATCHES = 1536;

/** A base and a price per tile of 512 px, after fitting into 2048 × 2048 and shrinking the short side to 768. */
const TILED: readonly (readonly [prefix: string, base: number, perTile: number])[] = [
  ['gpt-4o-mini', 2833, 5667],
  ['gpt-5', 70, 140],
  ['o1', 75, 150],
  ['o3', 75, 150],
  ['', 85, 170],
];

/** https://platform.openai.com/docs/guides/images-vision#calculating-costs */
export const openAiImageTokens = (model: string, size: ImageSize, detail: string | null): number => {
  const patched = PATCHED.find(([prefix]) => model.startsWith(prefix));
  if (patched !== undefined) {
    const patches = Math.ceil(size.width / 32) * Math.ceil(size.height / 32);
    return Math.ceil((Math.min(MAX_PATCHES, patches) * patched[1]) / 100);
  }
  const [, base, perTile] = TILED.find(([prefix]) => model.startsWith(prefix)) ?? ['', 85, 170];
  if (detail === 'low') return base;
  const fit = Math.min(1, 2048 / Math.max(size.width, size.height));
  const shrink = Math.min(1, 768 / (Math.min(size.width, size.height) * fit));
  const tiles = (side: number): number => Math.max(1, Math.ceil((side * fit * shrink) / 512));
  return base + perTile * tiles(size.width) * tiles(size.height);
};

/** Pixels / 750, the long side at most 1568: https://docs.anthropic.com/en/docs/build-with-claude/vision */
export const anthropicImageTokens = (size: ImageSize): number => {
  const fit = Math.min(1, 1568 / Math.max(size.width, size.height));
  return Math.min(1600, Math.ceil((size.width * fit * size.height * fit) / 750));
};

/** 258 up to 384 × 384, else 258 a tile of 768 px: https://ai.google.dev/gemini-api/docs/tokens */
export const geminiImageTokens = (size: ImageSize): number =>
  size.width <= 384 && size.height <= 384 ? 258 : 258 * Math.ceil(size.width / 768) * Math.ceil(size.height / 768);
