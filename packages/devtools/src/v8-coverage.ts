/** Reads what Node writes under NODE_V8_COVERAGE: how often each range of a script ran, in one process. */

export interface V8Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

export interface V8Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly V8Range[] }[];
}

/** Answers whether the code at an offset ran: the innermost range around it counts. */
export const ranAt = ({ functions }: V8Script): ((offset: number) => boolean) => {
  // Outer ranges first, so that the last one that holds the offset is the innermost.
  const ranges = functions
    .flatMap((entry) => entry.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  return (offset) => {
    let count = 0;
    for (const range of ranges) {
      if (range.startOffset > offset) break;
      if (range.endOffset > offset) count = range.count;
    }
    return count > 0;
  };
};

/** Offset of each line's first character. */
export const lineOffsets = (source: string): readonly number[] => {
  const offsets = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) offsets.push(at + 1);
  return offsets;
};
