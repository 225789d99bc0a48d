/**
 * The most input tokens that one image can cost, by family and dimensions. Sources, read 2026-11: OpenAI "Images and
 * vision: calculating costs"; Claude "Images and vision: evaluate image size"; Gemini "Understand and count tokens" and
 * "Media resolution". Where documents and measurements disagree, the larger is taken.
 */
export interface ImageSize {
  /** Pixels; null where the image was not at hand or its header could not be read. */
  readonly width: number | null;
  readonly height: number | null;
  readonly detail: 'low' | 'high' | 'auto' | null;
}

/** Never less than this much for the text around an image ("Image 1:", markers). OpenAI was measured to add 32. */
const IMAGE_FRAME = 32;

export const imageTokens = (format: string, model: string, image: ImageSize): number =>
  IMAGE_FRAME + familyOf(format, model)(image);

type ImageRule = (image: ImageSize) => number;

const familyOf = (format: string, model: string): ImageRule => {
  const name = model.slice(model.lastIndexOf('/') + 1);
  if (name.includes('claude') || format === 'anthropic-messages') return claudeRule(name);
  if (name.startsWith('gemini')) return geminiRule(name);
  const openai = OPENAI_RULES.find(([prefix]) => name.startsWith(prefix));
  return openai === undefined ? unknownRule : openai[1];
};

/** 512-pixel tiles after the image is fitted to 2048 x 2048 and its short side made 768: 4, 6 or 8 of them. */
const tiles =
  (base: number, perTile: number): ImageRule =>
  ({ width, height, detail }) => {
    if (detail === 'low') return base;
    return base + perTile * tileCount(width, height);
  };

const tileCount = (width: number | null, height: number | null): number => {
  if (width === null || height === null || width < 1 || height < 1) return 8;
  const ratio = Math.max(width, height) / Math.min(width, height);
  if (ratio <= 4 / 3) return 4;
  return ratio <= 2 ? 6 : 8;
};

/** 32-pixel patches, scaled down to at most `cap`; each costs `hundredths` / 100 tokens. `detail: low` was measured to have no effect. */
const patches =
  (cap: number, hundredths: number): ImageRule =>
  ({ width, height }) =>
    Math.ceil((Math.min(cap, cells(width, height, 32)) * hundredths) / 100);

const cells = (width: number | null, height: number | null, side: number): number =>
  width === null || height === null || width < 1 || height < 1
    ? Number.MAX_SAFE_INTEGER
    : Math.ceil(width / side) * Math.ceil(height / side);

/** First match wins: longer names stand before their prefixes. */
const OPENAI_RULES: readonly (readonly [string, ImageRule])[] = [
  ['gpt-4o-mini', tiles(2833, 5667)],
  ['gpt-4o', tiles(85, 170)],
  ['chatgpt-4o', tiles(85, 170)],
  ['gpt-4.1-mini', patches(1536, 162)],
  ['gpt-4.1-nano', patches(1536, 246)],
  ['gpt-4.1', (image) => Math.max(tiles(85, 170)(image), patches(1536, 100)(image))],
  ['gpt-4', tiles(85, 170)],
  // 1,536 patches are documented, 2,500 were measured for the 5.4 line; `original` detail allows 10,000.
  ['gpt-5-mini', patches(2500, 162)],
  ['gpt-5-nano', patches(2500, 246)],
  ['gpt-5-', tiles(70, 140)],
  ['gpt-5.1', (image) => Math.max(tiles(70, 140)(image), patches(2500, 120)(image))],
  ['gpt-5.', patches(10_000, 162)],
  ['gpt-6', patches(10_000, 162)],
  ['gpt-5', tiles(70, 140)],
  ['o4-mini', patches(1536, 172)],
  ['codex-mini', patches(1536, 172)],
  ['computer-use', tiles(65, 129)],
  ['o1', tiles(75, 150)],
  ['o3', tiles(75, 150)],
];

/** 28-pixel patches. The 2576-pixel edge (3.75 megapixels = 4,784 patches) came with Opus 4.7; before, about 1,600. */
const claudeRule =
  (name: string): ImageRule =>
  ({ width, height }) =>
    Math.min(cells(width, height, 28), CLAUDE_SMALL.some((part) => name.includes(part)) ? 1_700 : 4_784);

const CLAUDE_SMALL = ['claude-2', 'claude-3', 'haiku-4-5', 'opus-4-0', 'opus-4-1', 'opus-4-5', 'opus-4-6', 'sonnet-4'];

/**
 * Gemini 1.5 to 2.5: 258 tokens up to 384 x 384, else 258 a crop; a crop's side is two thirds of the short side, between
 * 256 and 768, and images above 3072 are scaled down. From 3 on: 1,120 by default, 2,240 at `ultra_high`.
 */
const geminiRule = (name: string): ImageRule =>
  /^gemini-(1|2)\.|^gemini-(flash|pro)-1|^gemini-live-2/.test(name) ? geminiCrops : () => 2_240;

const geminiCrops: ImageRule = ({ width, height }) => {
  if (width === null || height === null) return 258 * 36;
  if (width <= 384 && height <= 384) return 258;
  const [w, h] = [Math.min(width, 3072), Math.min(height, 3072)];
  const side = Math.min(768, Math.max(256, Math.floor(Math.min(w, h) / 1.5)));
  return 258 * Math.ceil(w / side) * Math.ceil(h / side);
};

/**
 * A family that we know nothing of (open models behind vLLM or Ollama, models newer than this table): 28-pixel patches
 * without scaling, or 16,384 (the default ceiling of Qwen2-VL's image processor, the largest among the common ones).
 */
const unknownRule: ImageRule = ({ width, height }) => Math.min(16_384, Math.max(4_096, cells(width, height, 28)));
