/** Takes the key that the proxy put in out of what a provider answers, wherever a piece of the answer may end. */
export interface Redactor {
  /** What may be passed on by now: the piece itself where nothing is found. A beginning of the key at its end is held back. */
  push(piece: Buffer): Buffer;
  /** What is still held back. */
  end(): Buffer;
  text(value: string): string;
}

const NOTHING = Buffer.alloc(0);
const INSTEAD = '[redacted]';
/** Shorter ones are no secrets but stand-ins (`ollama`), and may be words of the answer. */
const SHORTEST = 8;

export const makeRedactor = (secret: string): Redactor => {
  const forms = secret.length < SHORTEST ? [] : formsOf(secret).map((form) => Buffer.from(form));
  let held: Buffer = NOTHING;
  return {
    push(piece) {
      const clean = withoutForms(held.length === 0 ? piece : Buffer.concat([held, piece]), forms);
      const tail = beginningAtEnd(clean, forms);
      held = tail === 0 ? NOTHING : Buffer.from(clean.subarray(clean.length - tail));
      return tail === 0 ? clean : clean.subarray(0, clean.length - tail);
    },
    end() {
      const rest = held;
      held = NOTHING;
      return rest;
    },
    text: (value) => withoutForms(Buffer.from(value, 'latin1'), forms).toString('latin1'),
  };
};

/** As it is, and as JSON, a URL or base64 (without its padding) write it. */
const formsOf = (secret: string): string[] => [
  ...new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll('/', '\\/'),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replaceAll('=', ''),
    Buffer.from(secret).toString('base64url'),
  ]),
];

const withoutForms = (bytes: Buffer, forms: readonly Buffer[]): Buffer => {
  let clean = bytes;
  for (const form of forms) {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = clean.indexOf(form); at >= 0; at = clean.indexOf(form, from)) {
      pieces.push(clean.subarray(from, at), Buffer.from(INSTEAD));
      from = at + form.length;
    }
    if (from > 0) clean = Buffer.concat([...pieces, clean.subarray(from)]);
  }
  return clean;
};

/** The length of the longest end of `bytes` that a form begins with. */
const beginningAtEnd = (bytes: Buffer, forms: readonly Buffer[]): number => {
  let longest = 0;
  for (const form of forms) {
    const first = form[0] ?? 0;
    const from = Math.max(0, bytes.length - form.length + 1);
    for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
      const length = bytes.length - at;
      if (bytes.compare(form, 0, length, at) !== 0) continue;
      longest = Math.max(longest, length);
      break;
    }
  }
  return longest;
};
