/** Against an API server that fails in every way it can: real HTTPS on loopback, scripted answer by answer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { makeAuthority, type CertificateAuthority, type KeyAndCertificate } from '@tollgate/testkit/kubernetes';
import { KubernetesUnavailable, makeKubernetesApi, type KubernetesApi } from './kubernetes-api.ts';

type Script = (request: IncomingMessage, response: ServerResponse) => void;

const CANARY = 'canary-token-of-our-own';

/** Long enough for a first handshake on a busy machine; what says nothing takes as long. */
const TIMEOUT_MS = 2_000;

describe('the API server over HTTPS', () => {
  let dir: string;
  let authority: CertificateAuthority;
  let identity: KeyAndCertificate;
  let server: Server;
  let api: KubernetesApi;
  let script: Script;
  let asked: { readonly token: string | undefined; readonly body: string }[];
  let sockets: Set<Socket>;
  const tokenFile = () => join(dir, 'token');
  const caFile = () => join(dir, 'ca-of-ours.crt');

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tollgate-api-'));
    authority = await makeAuthority(dir, 'test');
    identity = await authority.issue('api', { commonName: 'api' }, ['127.0.0.1']);
  }, 30_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  beforeEach(async () => {
    asked = [];
    sockets = new Set();
    writeFileSync(tokenFile(), `${CANARY}\n`);
    writeFileSync(caFile(), authority.certPem);
    server = createServer({ key: identity.keyPem, cert: identity.certPem }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push({ token: request.headers.authorization, body: Buffer.concat(chunks).toString() });
        script(request, response);
      });
    });
    server.on('secureConnection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = makeKubernetesApi({ url: urlOf(), tokenFile: tokenFile(), caFile: caFile(), timeoutMs: TIMEOUT_MS });
  });
  afterEach(async () => {
    api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const urlOf = (): string => `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const answering =
    (status: number, body: string): Script =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    };
  const faultOf = (question: Promise<unknown>): Promise<KubernetesUnavailable> =>
    question.then(
      () => {
        throw new Error('it was answered');
      },
      (fault: unknown) => {
        expect(fault).toBeInstanceOf(KubernetesUnavailable);
        return fault as KubernetesUnavailable;
      },
    );

  it('is asked with the token that our file holds now, on one kept connection', async () => {
    script = answering(201, '{"status":{"authenticated":true}}');
    expect(await api.post('/x', { spec: { token: 't' } })).toEqual({ status: { authenticated: true } });
    writeFileSync(tokenFile(), 'renewed');
    await api.post('/x', {});
    expect(asked).toEqual([
      { token: `Bearer ${CANARY}`, body: '{"spec":{"token":"t"}}' },
      { token: 'Bearer renewed', body: '{}' },
    ]);
    expect(sockets.size).toBe(1);
  });

  it.each<[string, Script]>([
    ['refuses us', answering(401, `{"message":"bad token ${CANARY}"}`)],
    ['forbids it', answering(403, '{}')],
    ['is overloaded', answering(429, '{}')],
    ['fails', answering(500, '<html>')],
    ['sends elsewhere', (_request, response) => void response.writeHead(302, { location: 'http://evil' }).end()],
    ['sends no JSON', answering(201, `<html>${CANARY}`)],
    [
      'sends half of it',
      (_request, response) => {
        response.writeHead(201, { 'content-length': '100' });
        response.write('{"status"');
        setTimeout(() => response.destroy(), 5);
      },
    ],
    ['says nothing', () => undefined],
    [
      'begins and says no more',
      (_request, response) => {
        response.writeHead(201);
        response.write('{"status"');
      },
    ],
    [
      'never ends',
      (_request, response) => {
        response.writeHead(201);
        response.end(Buffer.alloc(2 << 20, 32));
      },
    ],
    ['hangs up', (_request, response) => void response.destroy()],
  ])('cannot be used where it %s, and no token is told', async (_what, how) => {
    script = how;
    const fault = await faultOf(api.post('/x', { spec: { token: 'sk-asked-about' } }));
    const told = JSON.stringify([fault.message, String(fault.cause), fault.stack]);
    expect(told).not.toContain(CANARY);
    expect(told).not.toContain('sk-asked-about');
  });

  it('is asked again at once where a kept connection turned out closed', async () => {
    script = answering(201, '{}');
    await api.post('/x', {});
    for (const socket of sockets) socket.once('data', () => socket.destroy());
    expect(await api.post('/x', {})).toEqual({});
  });

  it('is nobody whom the authority of the cluster does not know', async () => {
    script = answering(201, '{}');
    const other = mkdtempSync(join(tmpdir(), 'tollgate-api-other-'));
    const stranger = await makeAuthority(other, 'stranger');
    writeFileSync(caFile(), stranger.certPem);
    const suspicious = makeKubernetesApi({
      url: urlOf(),
      tokenFile: tokenFile(),
      caFile: caFile(),
      timeoutMs: TIMEOUT_MS,
    });
    await faultOf(suspicious.post('/x', {}));
    expect(asked).toEqual([]);
    // The file is replaced by that of the cluster: no restart is needed.
    writeFileSync(caFile(), authority.certPem);
    expect(await suspicious.post('/x', {})).toEqual({});
    suspicious.close();
    rmSync(other, { recursive: true, force: true });
  });

  it('cannot be asked without a token of our own, and can once there is one', async () => {
    script = answering(201, '{}');
    rmSync(tokenFile());
    await faultOf(api.post('/x', {}));
    writeFileSync(tokenFile(), 'there');
    expect(await api.post('/x', {})).toEqual({});
  });

  it('is a wrong setting where its authority is not there', () => {
    expect(() =>
      makeKubernetesApi({ url: urlOf(), tokenFile: tokenFile(), caFile: join(dir, 'none'), timeoutMs: TIMEOUT_MS }),
    ).toThrow(/ENOENT/);
  });
});
