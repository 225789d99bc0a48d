import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMockProvider, type MockProvider } from '@tollgate/testkit';
import { aChat, callJson } from '../testing/call.ts';
import { startHarness, type Harness } from '../testing/harness.ts';

describe('the way out to the provider', () => {
  let harness: Harness | null = null;
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await harness?.stop();
    harness = null;
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const chat = ({ url }: Harness) => callJson(`${url}/openai/v1/chat/completions`, aChat());

  describe('through a proxy', () => {
    /** An HTTP proxy that knows one name: wherever the caller wants to go, it goes to the mock. */
    const startHttpProxy = async (
      mockPort: () => number,
    ): Promise<{ readonly url: string; readonly asked: string[] }> => {
      const asked: string[] = [];
      const proxy: Server = createServer((req, res) => {
        asked.push(`${req.method ?? ''} ${req.url ?? ''}`);
        const { pathname } = new URL(req.url ?? '');
        const onward = request({
          port: mockPort(),
          host: '127.0.0.1',
          path: pathname,
          method: req.method,
          headers: req.headers,
        });
        onward.on('response', (answer) => {
          res.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(res);
        });
        req.pipe(onward);
      });
      proxy.on('connect', (req, client) => {
        asked.push(`CONNECT ${req.url ?? ''}`);
        const upstream = connect(mockPort(), '127.0.0.1', () => {
          client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
          upstream.pipe(client).pipe(upstream);
        });
        upstream.on('error', () => client.destroy());
        client.on('error', () => upstream.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      stops.push(
        () =>
          new Promise((resolve) => {
            proxy.close(resolve);
            proxy.closeAllConnections();
          }),
      );
      return { url: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`, asked };
    };

    it('goes by HTTP_PROXY, for metered calls and for those that only pass', async () => {
      let port = 0;
      const proxy = await startHttpProxy(() => port);
      harness = await startHarness({ upstream: 'http://provider.example:8080', env: { HTTP_PROXY: proxy.url } });
      ({ port } = harness.mock);
      expect((await chat(harness)).status).toBe(200);
      expect((await fetch(`${harness.url}/openai/v1/models`)).status).toBe(200);
      expect(proxy.asked.filter((line) => line.includes('provider.example:8080')).length).toBe(2);
    });

    it('does not for a host that NO_PROXY names', async () => {
      const proxy = await startHttpProxy(() => 1);
      harness = await startHarness({
        upstream: 'http://provider.invalid:8080',
        env: { HTTP_PROXY: proxy.url, NO_PROXY: '.invalid' },
      });
      expect(await chat(harness)).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } });
      expect(proxy.asked).toEqual([]);
    });
  });

  describe('over TLS', () => {
    let dir = '';
    let cert = '';
    let secure: MockProvider | null = null;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'tollgate-tls-'));
      const [key, crt] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-keyout',
          key,
          '-out',
          crt,
          '-days',
          '2',
          '-subj',
          '/CN=localhost',
          '-addext',
          'subjectAltName=DNS:localhost,IP:127.0.0.1',
        ],
        { stdio: 'ignore' },
      );
      cert = crt;
      secure = await startMockProvider({ tls: { key: readFileSync(key, 'utf8'), cert: readFileSync(crt, 'utf8') } });
    });
    afterAll(async () => {
      await secure?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    it('trusts an authority that the process was given', async () => {
      harness = await startHarness({ upstream: secure?.url ?? '', env: { TOLLGATE_EXTRA_CA_FILE: cert } });
      expect((await chat(harness)).status).toBe(200);
      expect((await fetch(`${harness.url}/openai/v1/models`)).status).toBe(200);
    });

    it('refuses one that it does not know, and charges nothing', async () => {
      harness = await startHarness({ upstream: secure?.url ?? '' });
      expect(await chat(harness)).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } });
      const [event] = await harness.events(1);
      expect(event).toMatchObject({ settle: 'void', charged: 0n });
    });
  });
});
