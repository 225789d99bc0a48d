/** A chat request as bytes on the wire, to be bent by a test into what no client would write. */
export const CHAT_PATH = '/openai/v1/chat/completions';

export interface RawCallStatement {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Lower-case names of the usual headers to leave out. */
  readonly without?: readonly string[];
  /** Header lines, as they stand between two line ends. */
  readonly lines?: readonly string[];
  readonly body?: string | Buffer;
}

const CHAT = '{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"Hello."}]}';

export const rawCall = ({
  method = 'POST',
  target = CHAT_PATH,
  version = '1.1',
  without = [],
  lines = [],
  body = CHAT,
}: RawCallStatement = {}): Buffer => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8');
  const usual: readonly (readonly [string, string])[] = [
    ['host', '127.0.0.1'],
    ['content-type', 'application/json'],
    ['authorization', 'Bearer test-key'],
    ['connection', 'close'],
    ['content-length', String(bytes.length)],
  ];
  const head = usual.filter(([name]) => !without.includes(name)).map(([name, value]) => `${name}: ${value}`);
  const text = [`${method} ${target} HTTP/${version}`, ...head, ...lines, '', ''].join('\r\n');
  // Latin-1, so that a test can write any byte of the head as one character.
  return Buffer.concat([Buffer.from(text, 'latin1'), bytes]);
};

/** The body as chunks of the transfer coding, the last one included. */
export const inChunks = (body: string | Buffer, size = 65_536): Buffer => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, 'utf8');
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
};

/** Leaves out the length and says `chunked`. */
export const chunkedCall = (body: string | Buffer, stated: RawCallStatement = {}): Buffer =>
  rawCall({
    ...stated,
    without: ['content-length', ...(stated.without ?? [])],
    lines: ['transfer-encoding: chunked', ...(stated.lines ?? [])],
    body: inChunks(body),
  });
