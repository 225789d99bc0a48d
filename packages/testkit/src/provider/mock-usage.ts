/**
 * What a call used, in the simulator's own terms. The kinds are disjoint: `input` is neither cached nor written to a
 * cache nor audio, `output` is neither reasoning nor audio.
 */
export interface MockUsage {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  readonly output: number;
  readonly reasoning: number;
  readonly audioOutput: number;
}

export const NO_USAGE: MockUsage = {
  input: 0,
  cachedInput: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  output: 0,
  reasoning: 0,
  audioOutput: 0,
};

export const allInput = (usage: MockUsage): number =>
  usage.input + usage.cachedInput + usage.cacheWrite5m + usage.cacheWrite1h + usage.audioInput;

export const allOutput = (usage: MockUsage): number => usage.output + usage.reasoning + usage.audioOutput;
