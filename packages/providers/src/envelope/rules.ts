import type { ScanRules } from '../scan/json-scanner.ts';

/**
 * Request bodies. Depth 64 is far beyond any tool schema; half a million values bounds the scan of a hostile 32 MiB
 * body to tens of milliseconds (OpenAI takes 300,000 tokens in a call, which is the longest honest list).
 */
export const REQUEST_RULES: ScanRules = { strictKeys: true, maxDepth: 64, maxValues: 500_000 };
