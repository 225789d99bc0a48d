import { describe, expect, it } from '@jest/globals';
import { imageTokens } from '@tollgate/metering';
import fc from 'fast-check';

const FRAME = 32;
const size = (width: number | null, height: number | null, detail: 'low' | 'high' | 'auto' | null = null) => ({
  width,
  height,
  detail,
});

describe('the most tokens of an image', () => {
  it.each([
    // OpenAI's own examples: 1024 x 1024 = 765, 2048 x 4096 = 1105, low = 85.
    ['openai-chat', 'gpt-4o', size(1024, 1024), 765],
    ['openai-chat', 'gpt-4o', size(2048, 4096), 1105],
    ['openai-chat', 'gpt-4o', size(4096, 8192, 'low'), 85],
    ['openai-chat', 'gpt-4o', size(100, 2000), 1445],
    ['openai-chat', 'gpt-4o', size(null, null), 1445],
    ['openai-chat', 'gpt-4o-mini', size(null, null), 48_169],
    ['openai-responses', 'gpt-4.1-mini', size(1024, 1024), 1659],
    ['openai-responses', 'gpt-4.1-mini', size(4000, 1474), 2489],
    ['openai-chat', 'o4-mini', size(1024, 1024), 1762],
    ['openai-chat', 'gpt-5', size(1024, 1024), 630],
    ['openai-chat', 'gpt-5.5', size(null, null), 16_200],
    ['openai-chat', 'gpt-6-sol', size(320, 320), 162],
    // Claude: 28-pixel patches, about 1,600 before Opus 4.7, 4,784 since.
    ['anthropic-messages', 'claude-sonnet-4-5', size(1092, 1092), 1521],
    ['anthropic-messages', 'claude-sonnet-4-5', size(8000, 8000), 1700],
    ['anthropic-messages', 'claude-opus-5', size(8000, 8000), 4784],
    ['anthropic-messages', 'claude-opus-5', size(null, null), 4784],
    ['openai-chat', 'anthropic/claude-opus-4-7', size(null, null), 4784],
    // Gemini: 258 a small image, 258 a crop; 960 x 540 makes six crops of 360.
    ['gemini-generate', 'gemini-2.5-flash', size(384, 384), 258],
    ['gemini-generate', 'gemini-2.5-flash', size(960, 540), 1548],
    ['gemini-generate', 'gemini-2.5-flash', size(null, null), 9288],
    ['gemini-generate', 'gemini-3.5-flash', size(4000, 3000), 2240],
    ['openai-chat', 'qwen3-vl', size(null, null), 16_384],
    ['openai-chat', 'llava', size(280, 280), 4096],
  ])('%s %s %j: %i', (format, model, image, tokens) => {
    expect(imageTokens(format, model, image)).toBe(tokens + FRAME);
  });

  it('of unknown dimensions is the most that any dimensions give', () => {
    const anyModel = fc.constantFrom(
      'gpt-4o',
      'gpt-4.1',
      'gpt-4.1-nano',
      'gpt-5.1',
      'gpt-5.4-mini',
      'o3',
      'claude-opus-5',
      'claude-3-haiku',
      'gemini-2.5-pro',
      'gemini-3-pro-preview',
      'llava',
    );
    const side = fc.integer({ min: 1, max: 9000 });
    fc.assert(
      fc.property(anyModel, side, side, (model, width, height) => {
        expect(imageTokens('openai-chat', model, size(width, height))).toBeLessThanOrEqual(
          imageTokens('openai-chat', model, size(null, null)),
        );
      }),
    );
  });
});
