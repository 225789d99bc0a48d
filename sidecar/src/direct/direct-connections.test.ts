import { describe, expect, it } from '@jest/globals';
import { directConnections, foreignSockets } from './direct-connections.ts';
import type { OpenSocket } from './proc-net-tcp.ts';
import { providerTargets } from './provider-targets.ts';

const socket = (inode: string, remoteAddress: string, remotePort = 443): OpenSocket => ({
  inode,
  remoteAddress,
  remotePort,
});
const host = (name: string, addresses: readonly string[], ports: readonly number[] = [443, 80]) => ({
  host: name,
  ports,
  addresses: new Set(addresses),
});

describe('connections past the proxy', () => {
  const found = (sockets: readonly OpenSocket[], own: readonly string[] = []) =>
    directConnections(foreignSockets({ sockets, own: new Set(own) }, hosts), hosts);
  const hosts = [host('api.openai.com', ['1.1.1.1', '2606:4700::1']), host('llm.shop', ['10.96.0.9'], [8000])];

  it('are those of other processes to an address and a port of a provider', () => {
    const sockets = [
      socket('1', '1.1.1.1'),
      socket('2', '1.1.1.1', 80),
      socket('3', '2606:4700::1'),
      socket('4', '10.96.0.9', 8000),
    ];
    expect(found(sockets)).toEqual([
      { host: 'api.openai.com', count: 3 },
      { host: 'llm.shop', count: 1 },
    ]);
  });

  it('are none of the proxy itself, of another port, or of another address', () => {
    const sockets = [
      socket('1', '1.1.1.1'),
      socket('2', '1.1.1.1', 5432),
      socket('3', '10.96.0.9'),
      socket('4', '9.9.9.9'),
    ];
    expect(found(sockets, ['1'])).toEqual([]);
  });

  it('are none within the pod, where the proxy itself may stand at such an address', () => {
    const local = [host('llm.shop', ['127.0.0.1', '::1'])];
    const sockets = [socket('1', '127.0.0.1'), socket('2', '::1', 80)];
    expect(foreignSockets({ sockets, own: new Set() }, local)).toEqual([]);
  });

  it('count once where hosts share an address', () => {
    const shared = [host('a.example', ['1.1.1.1']), host('b.example', ['1.1.1.1'])];
    expect(directConnections([socket('1', '1.1.1.1')], shared)).toEqual([{ host: 'a.example', count: 1 }]);
  });
});

describe('the hosts that are looked for', () => {
  const backend = (baseUrl: string | null) => ({
    name: 'b',
    provider: 'OpenAICompatible' as const,
    baseUrl,
    credential: null,
    model: null,
    weight: 1,
    priority: 0,
    price: null,
  });
  const route = (...urls: readonly (string | null)[]) => ({
    namespace: 'shop',
    name: 'r',
    rules: [
      {
        name: 'all',
        models: [],
        backends: urls.map(backend),
        fallback: null,
        timeouts: { requestMs: null, firstByteMs: null },
      },
    ],
  });
  const PUBLIC = [
    { host: 'api.openai.com', ports: [443, 80] },
    { host: 'api.anthropic.com', ports: [443, 80] },
  ];

  it('are the public ones, and those of routes and settings with their ports', () => {
    const routes = [route('https://api.groq.com/openai/v1', 'http://llm.shop.svc:8000/v1', null)];
    expect(providerTargets(routes, [null, 'https://eu.example/openai', 'http://llm.shop.svc:9000'])).toEqual([
      ...PUBLIC,
      { host: 'eu.example', ports: [443, 80] },
      { host: 'llm.shop.svc', ports: [9000, 8000] },
      { host: 'api.groq.com', ports: [443, 80] },
    ]);
  });

  it('are none whose addresses say nothing, and none on the machine itself', () => {
    const routes = [
      route(
        'https://generativelanguage.googleapis.com',
        'http://localhost:11434',
        'http://127.0.0.1:1',
        'http://[::1]:1',
        'no url',
      ),
    ];
    expect(providerTargets(routes, [])).toEqual(PUBLIC);
  });

  it('are not without end', () => {
    const many = Array.from({ length: 500 }, (_, index) => `https://host-${String(index)}.example`);
    expect(providerTargets([route(...many)], [])).toHaveLength(64);
  });
});
