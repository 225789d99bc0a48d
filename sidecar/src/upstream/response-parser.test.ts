import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';
import { UpstreamFault } from './upstream-fault.ts';

interface Read {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** One answer from its bytes in these pieces and then the end of the connection; null where it is no whole answer. */
const parse = (pieces: readonly Buffer[]): (Read & { readonly head: ResponseHead; readonly fault: boolean }) | null => {
  const heads: ResponseHead[] = [];
  let body = '';
  let isWhole = false;
  let fault = false;
  const parser = new ResponseParser({
    onHead: (head) => void heads.push(head),
    onBody: (bytes) => (body += bytes.toString('latin1')),
    onEnd: () => (isWhole = true),
  });
  parser.begin(false);
  const inbox = Buffer.alloc(64 * 1024);
  try {
    // As in the connection: each read takes the memory of the one before.
    for (const piece of pieces) {
      piece.copy(inbox);
      parser.push(inbox, piece.length);
    }
    parser.finish();
  } catch (error) {
    if (!(error instanceof UpstreamFault)) throw error;
    fault = true;
  }
  const head = heads.at(-1);
  return isWhole && head !== undefined ? { status: head.status, headers: head.headers, body, head, fault } : null;
};

/** The same by Node's own client. */
const readByNode = (pieces: readonly Buffer[]): Promise<Read | null> =>
  new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const outgoing = request({ createConnection: () => wire }, (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (text: string) => (body += text));
      answer.on('error', () => resolve(null));
      answer.on('end', () => {
        resolve(answer.complete ? { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body } : null);
      });
    });
    outgoing.on('error', () => resolve(null)).on('upgrade', () => resolve(null));
    outgoing.end();
    setImmediate(() => {
      for (const piece of pieces) wire.push(piece);
      // An end in the turn of the last byte is an error to it, of an answer without a body.
      setImmediate(() => wire.push(null));
    });
  });

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const ends = [...new Set(at.map((each) => each % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > from) pieces.push(bytes.subarray(from, end));
    from = end;
  }
  return pieces;
};

const OK = 'HTTP/1.1 200 OK\r\n';
const read = (text: string): ReturnType<typeof parse> => parse([Buffer.from(text, 'latin1')]);

const name = fc.stringMatching(/^x-[a-zA-Z0-9-]{1,12}$/);
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const fields = fc.array(fc.tuple(name, value), { maxLength: 6 });
const bodies = fc.string({
  maxLength: 200,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});
const cuts = fc.array(fc.nat(2_000), { maxLength: 8 });

const chunked = (body: string, at: readonly number[], extension: string, trailer: string): string => {
  const pieces = cut(Buffer.from(body, 'latin1'), at);
  const framed = pieces.map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece.toString('latin1')}\r\n`);
  return `${framed.join('')}0${extension}\r\n${trailer}\r\n`;
};

/** A good answer, and what must be read of it. */
const answers = fc
  .record({
    status: fc.constantFrom(200, 201, 400, 429, 500, 599),
    reason: fc.constantFrom(' OK', ' ', '', ' Not Quite Right'),
    fields,
    body: bodies,
    framing: fc.constantFrom('length', 'chunked', 'close'),
    at: cuts,
    extension: fc.constantFrom('', ';a', ';a=b'),
    trailer: fc.constantFrom('', 'x-checksum: 1\r\n'),
    informational: fc.nat(2),
  })
  .map(({ status, reason, fields: list, body, framing, at, extension, trailer, informational }) => {
    const headers: string[] = list.flat();
    if (framing === 'length') headers.push('Content-Length', String(body.length));
    if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
    let lines = '';
    for (let i = 0; i < headers.length; i += 2) lines += `${headers[i] ?? ''}: ${headers[i + 1] ?? ''}\r\n`;
    const before = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(informational);
    const sent = framing === 'chunked' ? chunked(body, at, extension, trailer) : body;
    return {
      bytes: Buffer.from(`${before}HTTP/1.1 ${String(status)}${reason}\r\n${lines}\r\n${sent}`, 'latin1'),
      expected: { status, headers, body },
    };
  });

describe('reading answers', () => {
  it('takes every good answer for what it is, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(answers, cuts, ({ bytes, expected }, at) => {
        expect(parse(cut(bytes, at))).toMatchObject({ ...expected, fault: false });
      }),
      { numRuns: 500 },
    );
  });

  it('never takes for whole what Node’s own parser reads otherwise, whatever bytes are changed', async () => {
    const changes = fc.array(
      fc.tuple(
        fc.nat(400),
        fc.constantFrom('', '\r', '\n', '\r\n', '\0', ' ', ':', ';', '0', 'f', 'G', ',', '\t', '\x80'),
        fc.boolean(),
      ),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(answers, changes, cuts, async ({ bytes }, edits, at) => {
        let text = bytes.toString('latin1');
        for (const [place, put, isReplaced] of edits) {
          const where = place % (text.length + 1);
          text = text.slice(0, where) + put + text.slice(isReplaced ? where + 1 : where);
        }
        const pieces = cut(Buffer.from(text, 'latin1'), at);
        const ours = parse(pieces);
        if (ours === null) return;
        const theirs = await readByNode(pieces);
        // Bytes behind the end are a fault on our side, and may be one on theirs.
        if (theirs === null) expect(ours.fault).toBe(true);
        else expect({ status: ours.status, headers: ours.headers, body: ours.body }).toEqual(theirs);
      }),
      { numRuns: 600 },
    );
  });

  it.each([
    ['two lengths', `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
    ['a list of lengths', `${OK}content-length: 1, 1\r\n\r\na`],
    ['a length with a sign', `${OK}content-length: +1\r\n\r\na`],
    ['a length beside chunks', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['an encoding that was not asked for', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', `${OK}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
    ['a space before the colon', `${OK}content-length : 0\r\n\r\n`],
    ['a bare line feed', `${OK}content-length: 0\ncontent-length: 1\r\n\r\na`],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['a framing with space behind it', `${OK}transfer-encoding: chunked\t\r\n\r\n0\r\n\r\n`],
    ['an announcement by HTTP/1.0', 'HTTP/1.0 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['another protocol', 'HTTP/2 200\r\n\r\n'],
    ['no protocol', 'hello'],
    ['a chunk without a length', `${OK}transfer-encoding: chunked\r\n\r\n\r\n\r\n`],
    ['a chunk of an impossible length', `${OK}transfer-encoding: chunked\r\n\r\n${'f'.repeat(14)}\r\n`],
    ['a chunk that is longer than it says', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['a trailer that is no header', `${OK}transfer-encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n`],
    ['a head without end', `${OK}a: ${'b'.repeat(20_000)}\r\n\r\n`],
    ['trailers without end', `${OK}transfer-encoding: chunked\r\n\r\n0\r\na: ${'b'.repeat(20_000)}\r\n\r\n`],
    ['an extension with a space in it', `${OK}transfer-encoding: chunked\r\n\r\n1;a \r\na\r\n0\r\n\r\n`],
    ['an extension without end', `${OK}transfer-encoding: chunked\r\n\r\n1;${'b'.repeat(20_000)}`],
    ['an answer that breaks off', `${OK}content-length: 3\r\n\r\nab`],
  ])('does not take %s', (_what, text) => {
    expect(read(text)).toBeNull();
    expect(parse(cut(Buffer.from(text, 'latin1'), [...text].map((_, at) => at).slice(0, 200)))).toBeNull();
  });

  it('faults on bytes behind the end: they are no one’s answer', () => {
    expect(read(`${OK}content-length: 1\r\n\r\nab`)).toMatchObject({ body: 'a', fault: true });
    expect(read('HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\nhello')).toMatchObject({ body: '', fault: true });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', true, null],
    ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: x, Close\r\n\r\n', false, null],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', false, null],
    ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: Keep-Alive\r\nkeep-alive: timeout=7, max=9\r\n\r\n', true, 7],
  ])('knows whether the connection stays: %j', (text, keepsAlive, keepAliveSeconds) => {
    expect(read(text)?.head).toMatchObject({ keepsAlive, keepAliveSeconds });
  });

  it('hears no more once it is stopped, though more is at hand', () => {
    const seen: string[] = [];
    const parser: ResponseParser = new ResponseParser({
      onHead: () => void seen.push('head'),
      onBody: () => {
        seen.push('body');
        parser.stop();
      },
      onEnd: () => void seen.push('end'),
    });
    parser.begin(false);
    const bytes = Buffer.from(`${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
    parser.push(bytes, bytes.length);
    expect([seen, parser.finish()]).toEqual([['head', 'body'], true]);
  });
});
