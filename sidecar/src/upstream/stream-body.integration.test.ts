import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { makeTurn } from '../turn.ts';
import { makeStreamBody } from './stream-body.ts';

const HEAD = ['content-type', 'text/plain', 'date', 'x', 'connection', 'close'];

const turn = makeTurn(setImmediate);

describe('the body of a stream', () => {
  /** What a caller of this HTTP version reads from its socket. */
  const answerTo = async (version: string, respond: (res: ServerResponse) => void): Promise<string> => {
    const server = createServer((_req, res) => {
      respond(res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET / HTTP/${version}\r\nhost: x\r\n\r\n`);
    const answer = await text(socket);
    server.close();
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  };
  const writeAll = (res: ServerResponse, last?: Buffer): void => {
    res.writeHead(200, HEAD);
    const body = makeStreamBody(res, turn);
    for (const piece of ['one', '', 'é'.repeat(10)]) body.write(Buffer.from(piece));
    body.end(last);
  };

  it('is chunks, one a piece, and nothing for a piece of nothing', async () => {
    const pieces = `3\r\none\r\n14\r\n${'é'.repeat(10)}\r\n`;
    await expect(answerTo('1.1', writeAll)).resolves.toBe(`${pieces}0\r\n\r\n`);
    await expect(answerTo('1.1', (res) => writeAll(res, Buffer.from('end')))).resolves.toBe(
      `${pieces}3\r\nend\r\n0\r\n\r\n`,
    );
  });

  it.each(['1.0', '1.1'])(
    'is whole to a caller of HTTP/%s who reads late, though each piece took the memory of the last',
    async (version) => {
      const inbox = Buffer.alloc(64 * 1024);
      const server = createServer((_req, res) => {
        res.writeHead(200, HEAD);
        const body = makeStreamBody(res, turn);
        let isHeldUp = false;
        for (let piece = 0; piece < 400; piece += 1) {
          inbox.fill(97 + (piece % 26));
          isHeldUp = !body.write(inbox) || isHeldUp;
        }
        inbox.fill(0);
        expect(isHeldUp).toBe(true);
        body.onceDrained(() => {
          body.end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
      socket.write(`GET / HTTP/${version}\r\nhost: x\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const answer = await text(socket);
      server.close();
      for (let piece = 0; piece < 26; piece += 1)
        expect(answer.split(String.fromCharCode(97 + piece).repeat(64 * 1024)).length - 1).toBe(piece < 10 ? 16 : 15);
    },
  );

  it('is bare bytes to a caller that knows no chunks', async () => {
    await expect(answerTo('1.0', (res) => writeAll(res, Buffer.from('end')))).resolves.toBe(`one${'é'.repeat(10)}end`);
  });
});
