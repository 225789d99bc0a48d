/** Columns as kubectl prints them: left-aligned, as wide as their widest cell, three spaces between, nothing after the last. */
export const printTable = (headers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [headers, ...rows].map((row) => headers.map((_, column) => plain(row[column] ?? '')));
  const widths = headers.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
};

const pad = (cell: string, width: number): string => cell + ' '.repeat(width - [...cell].length);

/** Names come from manifests and from callers: none of them may move the cursor. */
const plain = (cell: string): string => cell.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
