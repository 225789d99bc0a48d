import type { ScanRules } from '../scan/json-scanner.ts';

/**
 * Request bodies. Depth 64 is far beyond any tool schema. The effort lets through 8 MB of text with a quote in every word,
 * or 250,000 small values, and ends the scan of a hostile 32 MiB body within tens of milliseconds; pictures and plain text
 * cost none of it. An honest list of token numbers ends at 300,000 (OpenAI's cap for one call), each 32 for its value.
 */
export const REQUEST_RULES: ScanRules = { strictKeys: true, maxDepth: 64, maxEffort: 10_000_000 };
