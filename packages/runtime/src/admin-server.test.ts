import { afterEach, describe, expect, it } from '@jest/globals';
import { startAdminServer, type AdminServer, type ProbeAnswer } from './admin-server.ts';

const open: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const start = async (
  ready: ProbeAnswer = { ok: true },
  page = () => Promise.resolve('metrics 1\n'),
  status?: () => object,
): Promise<AdminServer> => {
  const server = await startAdminServer({
    listen: { host: '127.0.0.1', port: 0 },
    probes: {
      live: () => ({ ok: true }),
      ready: () => ready,
      started: () => ({ ok: false, reason: 'no snapshot yet' }),
    },
    metrics: { contentType: 'text/plain; version=0.0.4', page },
    ...(status === undefined ? {} : { status }),
  });
  open.push(server);
  return server;
};

describe('the admin port', () => {
  it.each([
    ['/livez', 200, 'ok\n'],
    ['/readyz?verbose', 503, 'draining\n'],
    ['/startupz', 503, 'no snapshot yet\n'],
    ['/metrics', 200, 'metrics 1\n'],
    ['/', 404, 'not found\n'],
  ])('answers %s with %i', async (path, status, body) => {
    const { url } = await start({ ok: false, reason: 'draining' });
    const answer = await fetch(`${url}${path}`);
    expect([answer.status, await answer.text()]).toEqual([status, body]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('says how things are where the process tells it, and knows no such page elsewhere', async () => {
    const { url } = await start({ ok: true }, undefined, () => ({ state: 'fresh' }));
    const answer = await fetch(`${url}/status`);
    expect([answer.headers.get('content-type'), await answer.json()]).toEqual(['application/json', { state: 'fresh' }]);
    expect((await fetch(`${(await start()).url}/status`)).status).toBe(404);
  });

  it('answers nothing but GET and HEAD', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/livez`, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await (await fetch(`${url}/livez`, { method: 'HEAD' })).text()).toBe('');
  });

  it('says 500 where the metrics cannot be collected, and no more', async () => {
    const { url } = await start({ ok: true }, () => Promise.reject(new Error('canary')));
    const answer = await fetch(`${url}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([500, 'metrics could not be collected\n']);
  });

  it('says which port it could not bind', async () => {
    const { address } = await start();
    const second = startAdminServer({
      listen: address,
      probes: { live: () => ({ ok: true }), ready: () => ({ ok: true }), started: () => ({ ok: true }) },
      metrics: { contentType: '', page: () => Promise.resolve('') },
    });
    await expect(second).rejects.toThrow(`cannot listen on 127.0.0.1:${address.port} for the admin port`);
  });
});
