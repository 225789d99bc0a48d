/** Splits a stream of bytes at newlines, wherever the pieces were cut. */
export interface NdjsonLines {
  push(chunk: Buffer): readonly string[];
}

export const makeNdjsonLines = (mostBytes: number): NdjsonLines => {
  let pending: Buffer[] = [];
  let size = 0;
  return {
    push: (chunk) => {
      const lines: string[] = [];
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        pending.push(chunk.subarray(from, end));
        const line = Buffer.concat(pending).toString('utf8').trim();
        if (line !== '') lines.push(line);
        pending = [];
        size = 0;
        from = end + 1;
      }
      const rest = chunk.subarray(from);
      size += rest.length;
      if (size > mostBytes) throw new RangeError(`a line is over ${String(mostBytes)} bytes`);
      if (rest.length > 0) pending.push(rest);
      return lines;
    },
  };
};
