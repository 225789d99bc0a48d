/** What comes over the ledger's API that should not: batches again, in another order, changed; strangers; and answers to a proxy that are none. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dice } from '../../testing/dice.ts';
import { pause } from '../rig/wait.ts';
import { anyProxy, between, untilServes, type Fault, type Scene } from './scene.ts';

interface SentEvent {
  readonly instance: string;
  readonly seq: number;
  readonly charged: string;
}

const LETTER_AT = 8;

/** The settlements in a spool, as they were, or will be, delivered. */
const eventsIn = (folder: string): readonly SentEvent[] => {
  const events: SentEvent[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.log')) continue;
    const bytes = readFileSync(join(folder, name));
    for (let at = 0; at + LETTER_AT < bytes.length;) {
      const length = bytes.readUInt32LE(at);
      if (bytes[at + LETTER_AT] === 'S'.charCodeAt(0) && at + LETTER_AT + length <= bytes.length)
        events.push(JSON.parse(bytes.toString('utf8', at + LETTER_AT + 1, at + LETTER_AT + length)) as SentEvent);
      at += LETTER_AT + length;
    }
  }
  return events;
};

const post = async ({ rig }: Scene, path: string, body: unknown, token = rig.secrets.token): Promise<number> => {
  const to = rig.servers.map((server) => server.endpoint()).find((endpoint) => endpoint !== null);
  if (to === undefined) throw new Error('no server runs');
  const answer = await fetch(`http://${to.host}:${String(to.port)}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status;
};

/** One batch of an instance at a time, and the proxy itself may be sending one just now. */
const ingest = async (scene: Scene, batch: object): Promise<number> => {
  for (let times = 0; ; times += 1) {
    const status = await post(scene, 'events', batch);
    if (status !== 503 || times >= 20) return status;
    await pause(50);
  }
};

const MOST = 60;
/** Long enough for all of them to be stored. */
const STORED_MS = 1_500;

const replay: Fault = {
  row: 24,
  lane: 'edge',
  isAlone: true,
  name: 'batches come again, backwards, in pieces; then one with another amount',
  run: async (scene) => {
    const proxy = anyProxy(scene);
    const all = eventsIn(proxy.spoolDir);
    await pause(STORED_MS);
    const instance = all.at(-1)?.instance ?? '';
    const events = all.filter((event) => event.instance === instance).slice(-MOST);
    if (events.length === 0) return;
    for (const some of [events, events.toReversed(), events.filter((_, index) => index % 2 === 0)]) {
      const status = await ingest(scene, { instance, events: some });
      if (status !== 200) throw new Error(`a batch that came again was answered ${String(status)}`);
    }
    const [first] = events;
    if (first === undefined) return;
    const changed = { ...first, charged: String(BigInt(first.charged) + 1n) };
    const status = await ingest(scene, { instance, events: [changed] });
    if (status < 400 || status > 499) throw new Error(`another body under a known id was answered ${String(status)}`);
    await untilServes(scene, proxy);
  },
};

const strangers: Fault = {
  row: 24,
  lane: 'edge',
  isAlone: true,
  name: 'strangers and nonsense at the ledger API change nothing',
  run: async (scene) => {
    const cases: readonly (readonly [string, unknown, string?])[] = [
      ['events', { instance: 'nobody', events: [] }, 'wrong'],
      ['hello', { contract: 1, instance: 'x', version: '9', subject: {} }, ''],
      ['events', '{"instance":"a","events":[{'],
      ['lease', { instance: 'x', seq: -1, needs: [] }],
      ['lease', '[]'],
      ['give-back', { instance: 'nobody', seq: 1, returns: [{ amount: '-5' }] }],
      ['close', { instance: 'nobody', epoch: 'none', lastSeq: 3 }],
    ];
    for (const [path, body, token] of cases) {
      const status = await post(scene, path, body, token);
      if (status < 400 || status > 499)
        throw new Error(`${path}: ${JSON.stringify(body)} was answered ${String(status)}`);
    }
    await untilServes(scene, anyProxy(scene));
  },
};

const future: Fault = {
  row: 28,
  lane: 'edge',
  isAlone: true,
  name: 'a proxy of a version to come says hello: refused, with a reason',
  run: async (scene) => {
    const subject = { namespace: 'apps', workload: 'new', labels: {}, team: 'apps' };
    const status = await post(scene, 'hello', {
      contract: 99,
      instance: 'from-the-future',
      version: '99.0.0',
      subject,
    });
    if (status < 400 || status > 499) throw new Error(`answered ${String(status)}`);
    await untilServes(scene, anyProxy(scene));
  },
};

const revoked: Fault = {
  row: 27,
  lane: 'edge',
  name: "a proxy's token is revoked: what it has in hand it may spend, and then no more",
  run: async (scene) => {
    const proxy = anyProxy(scene);
    proxy.useToken('a-token-that-is-no-more');
    await pause(between(scene, 2_000, 5_000));
    proxy.useToken(scene.rig.secrets.token);
    await untilServes(scene, proxy);
  },
};

const NONSENSE: readonly (readonly [string, number, string])[] = [
  ['503 in HTML', 503, '<html><body>503 Service Unavailable'],
  ['200 that is no JSON', 200, 'OK'],
  ['200 of half a JSON', 200, '{"granted":true,"grants":[{"budget":"apps/pa'],
  ['200 of another shape', 200, '{"granted":"yes","epoch":7,"ack":-1}'],
  ['200 with nothing in it', 200, ''],
  ['500 of JSON that is no error of ours', 500, '["what"]'],
  ['302', 302, ''],
];

/** A gateway in between, that answers for a server that is away. */
const nonsense = ([name, status, body]: (typeof NONSENSE)[number]): Fault => ({
  row: 33,
  lane: 'edge',
  name: `a proxy is answered by somebody else: ${name}`,
  run: async (scene) => {
    const proxy = anyProxy(scene);
    const other = await startAnswering(scene.dice, status, body);
    proxy.useServer({ host: '127.0.0.1', port: (other.address() as AddressInfo).port });
    await pause(between(scene, 1_000, 3_000));
    proxy.useServer(null);
    other.closeAllConnections();
    other.close();
    await untilServes(scene, proxy);
  },
});

const startAnswering = async (dice: Dice, status: number, body: string): Promise<Server> => {
  const type = dice.pick(['application/json', 'text/html']);
  const server = createServer((request, response) => {
    request.resume();
    response
      .writeHead(status, { 'content-type': type, ...(status === 302 ? { location: '/elsewhere' } : {}) })
      .end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

export const LEDGER_API_FAULTS: readonly Fault[] = [replay, strangers, future, revoked, ...NONSENSE.map(nonsense)];
