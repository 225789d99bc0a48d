/**
 * The names that a reader knows, found by the bytes of a key without making a string of it.
 * Names are hashed with letter case folded: some JSON readers (Go's) take `Model` for `model`, so a key that differs
 * from a known one in case only is reported rather than overlooked.
 */
export interface KeyTable<Name extends string> {
  /** The canonical name; '' for an unknown key; null for one that differs from a known name in case only. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): Name | '' | null;
}

interface Entry<Name extends string> {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly name: Name;
}

/** Folds one byte into a running hash; the scanner does the same while it looks for the closing quote. */
export const foldHash = (hash: number, byte: number): number => (Math.imul(hash, 31) + (byte | 0x20)) | 0;

/** `aliases` maps a second spelling to its canonical name (protobuf's JSON reads `max_output_tokens` and `maxOutputTokens`). */
export const makeKeyTable = <Name extends string>(
  names: readonly Name[],
  aliases: Readonly<Record<string, Name>> = {},
): KeyTable<Name> => {
  const entries = [
    ...names.map((name) => entryOf(name, name)),
    ...Object.entries(aliases).map(([as, name]) => entryOf(as, name)),
  ];
  const size = 2 ** Math.ceil(Math.log2(entries.length * 4));
  const slots = new Int16Array(size).fill(-1);
  for (const [index, entry] of entries.entries()) {
    let slot = slotOf(entry.hash, size);
    while (slots[slot] !== -1) slot = (slot + 1) & (size - 1);
    slots[slot] = index;
  }
  const find = (bytes: Uint8Array, start: number, end: number, hash: number): Name | '' | null => {
    for (let slot = slotOf(hash, size); ; slot = (slot + 1) & (size - 1)) {
      const entry = entries[slots[slot] ?? -1];
      if (entry === undefined) return '';
      if (entry.hash !== hash || entry.bytes.length !== end - start) continue;
      const sameness = compare(entry.bytes, bytes, start);
      if (sameness === 'equal') return entry.name;
      if (sameness === 'folded') return null;
    }
  };
  return { find };
};

const entryOf = <Name extends string>(spelling: string, name: Name): Entry<Name> => {
  const bytes = new TextEncoder().encode(spelling);
  return { hash: bytes.reduce(foldHash, 0), bytes, name };
};

const slotOf = (hash: number, size: number): number => (hash ^ (hash >>> 15)) & (size - 1);

const compare = (name: Uint8Array, bytes: Uint8Array, start: number): 'equal' | 'folded' | 'different' => {
  let exact = true;
  for (let i = 0; i < name.length; i += 1) {
    const have = bytes[start + i] ?? 0;
    const want = name[i] ?? 0;
    if (have === want) continue;
    if ((have | 0x20) !== (want | 0x20) || !isLetter(have)) return 'different';
    exact = false;
  }
  return exact ? 'equal' : 'folded';
};

const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
