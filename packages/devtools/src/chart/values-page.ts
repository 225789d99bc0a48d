/** The values of a chart as Markdown: each by its path, with the comment above it and what it is where nobody sets it. */
import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

interface Row {
  readonly path: string;
  readonly meaning: string;
  readonly value: unknown;
}

/** Throws where a value has no meaning: neither a comment of its own, nor one above a map that holds it. */
export const valuesPage = (source: string): string => {
  const document = parseDocument(source);
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Error(`values: ${String(document.errors[0])}`);
  const rows = rowsOf(document.contents, '');
  const sections = Map.groupBy(rows, ({ path }) => path.split('.')[0] ?? '');
  return [...sections].map(([name, members]) => sectionOf(name, members)).join('\n\n');
};

const rowsOf = (map: YAMLMap, prefix: string): readonly Row[] =>
  map.items.flatMap((pair, index) => {
    const path = prefix + keyOf(pair);
    const meaning = meaningOf(map, pair, index);
    const inner = isMap(pair.value) && isExplained(pair.value) ? pair.value : null;
    if (meaning === null && inner === null) throw new Error(`values: ${path} has no comment that says what it is for`);
    // A map of several values is told by them, below what is said of all of it.
    const own = meaning === null ? [] : [{ path, meaning, value: inner === null ? plain(pair.value) : undefined }];
    return [...own, ...(inner === null ? [] : rowsOf(inner, `${path}.`))];
  });

/** Else the map is one value, such as resources. */
const isExplained = (map: YAMLMap): boolean =>
  map.items.some(
    (pair, index) => meaningOf(map, pair, index) !== null || (isMap(pair.value) && isExplained(pair.value)),
  );

const keyOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : String(key));

/** A comment above the first key of a map belongs to the map, as the parser sees it. */
const meaningOf = (map: YAMLMap, { key }: Pair, index: number): string | null => {
  const own = isScalar(key) ? key.commentBefore : null;
  const text = own ?? (index === 0 ? map.commentBefore : null);
  // What a blank line parts from the key is about the file, not about the key.
  const paragraph = (text ?? '').split(/\n\s*\n/).at(-1) ?? '';
  const words = paragraph.split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? null : words.join(' ');
};

const plain = (node: unknown): unknown =>
  typeof node === 'object' && node !== null && 'toJSON' in node && typeof node.toJSON === 'function'
    ? (node.toJSON as () => unknown)()
    : node;

const sectionOf = (name: string, rows: readonly Row[]): string =>
  [
    `### ${name}`,
    '',
    '| Value | Default | Meaning |',
    '|---|---|---|',
    ...rows.map(({ path, meaning, value }) => `| \`${path}\` | ${defaultOf(value)} | ${cell(meaning)} |`),
  ].join('\n');

const defaultOf = (value: unknown): string => (value === undefined ? '' : `\`${cell(JSON.stringify(value))}\``);

const cell = (text: string): string => text.replaceAll('|', '\\|');
