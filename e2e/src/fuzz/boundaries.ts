/**
 * Every reader that stands where bytes come in from outside, with sound inputs to start from. `read` throws what the reader
 * is documented to throw, and `Broken` where an accepted input breaks what accepting means.
 */
import { checkSnapshot } from '@tollgate/api';
import { parseManifests } from '@tollgate/api/schema';
import { SpoolFault, makeMemoryDisk, openSpool } from '@tollgate/ledger/spool';
import {
  WireFault,
  decodeAcquireRequest,
  decodeAcquireResult,
  decodeClose,
  decodeEvents,
  decodeGiveBack,
  decodeHello,
  decodeHelloReply,
  decodeIntent,
  decodeStreamLine,
  encodeAcquireRequest,
  encodeAcquireResult,
  encodeClose,
  encodeEvents,
  encodeGiveBack,
  encodeHello,
  encodeHelloReply,
  encodeIntent,
  parseJson,
  readErrorBody,
} from '@tollgate/ledger/wire';
import { parseUsd } from '@tollgate/metering';
import {
  FORMATS,
  makeStreamMeter,
  pathFate,
  readAnswer,
  readEnvelope,
  spliceRequest,
  type Answer,
  type FormatId,
} from '@tollgate/providers';
import { parseListen } from '@tollgate/runtime';
import { ANSWERS, LEDGER, MANIFESTS, PATHS, REQUESTS, SNAPSHOT, SPOOL, STREAMS, bytesOf, type Seeds } from './seeds.ts';

export interface Boundary {
  readonly name: string;
  readonly seeds: Seeds;
  /** Of the rounds that are asked for, in hundredths: some readers are slow by nature. */
  readonly share?: number;
  /** Thrown by design. */
  readonly refusals: readonly (abstract new (...args: never[]) => Error)[];
  read(bytes: Buffer): void;
}

/** An accepted input that is not what accepting says. */
export class Broken extends Error {}

const hold = (isTrue: boolean, what: string): void => {
  if (!isTrue) throw new Broken(what);
};

const textOf = (bytes: Buffer): string => bytes.toString('utf8');

/** What was accepted says the same once written and read again. */
const roundTrip =
  <T>(decode: (body: string) => T, encode: (value: T) => string) =>
  (bytes: Buffer): void => {
    const written = encode(decode(textOf(bytes)));
    hold(encode(decode(written)) === written, 'what was accepted is not what is written');
  };

const wire = <T>(name: string, seed: string, decode: (body: string) => T, encode: (value: T) => string): Boundary => ({
  name: `the ledger's ${name}`,
  seeds: [Buffer.from(seed)],
  refusals: [WireFault],
  read: roundTrip(decode, encode),
});

const isCount = (value: number | undefined): boolean =>
  value === undefined || (Number.isSafeInteger(value) && value >= 0);

const soundAnswer = ({ usage, floor, deliveredBytes }: Answer): void => {
  for (const figures of [usage ?? {}, floor ?? {}]) {
    hold(Object.values(figures).every(isCount), 'a usage is no count');
  }
  hold(isCount(deliveredBytes), 'delivered bytes are no count');
};

/** What a strict reader sees in the body; null where it refuses what our scanner lets by (characters within strings). */
const strictly = (bytes: Buffer): object | null => {
  try {
    const body: unknown = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    hold(typeof body === 'object' && body !== null && !Array.isArray(body), 'accepted without being an object');
    return Object(body);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/** What is forwarded says what was priced, and keeps saying it with a cap put in. */
const readRequest = (format: FormatId) => (bytes: Buffer) => {
  const result = readEnvelope(format, bytes);
  if (!result.ok) {
    hold(result.fault.status === 400 || result.fault.status === 413, 'a refusal with another status');
    hold(result.fault.message.length < 2_000, 'a refusal longer than a caller reads');
    return;
  }
  const { envelope } = result;
  const body = strictly(bytes);
  if (body !== null && format !== 'gemini-generate') {
    hold(envelope.model === (Reflect.get(body, 'model') ?? null), 'another model is priced than is sent');
    hold(envelope.stream === (Reflect.get(body, 'stream') === true), 'a stream is taken for none, or none for one');
  }
  hold(isCount(envelope.outputCap ?? 0), 'a cap that is no count');
  hold(Number.isSafeInteger(envelope.choices) && envelope.choices >= 1, 'choices that are no count');
  if (format === 'openai-embeddings') return;
  const again = readEnvelope(format, Buffer.concat(spliceRequest(bytes, envelope, { outputCap: 77 })));
  hold(again.ok && again.envelope.outputCap === 77, 'the cap that was put in is not read back');
};

/** However it is cut, a stream passes unchanged and says the same. */
const readStream = (format: FormatId) => (bytes: Buffer) => {
  const whole = makeStreamMeter(format, { strip: false });
  const passed = Buffer.concat([whole.push(bytes), whole.end()]);
  hold(passed.equals(bytes), 'a byte was changed');
  soundAnswer(whole.answer());
  const pieces = makeStreamMeter(format, { strip: false });
  for (let from = 0; from < bytes.length; from += 7) pieces.push(bytes.subarray(from, from + 7));
  pieces.end();
  hold(JSON.stringify(pieces.answer()) === JSON.stringify(whole.answer()), 'it depends on where the bytes are cut');
  const stripping = makeStreamMeter(format, { strip: true });
  hold(stripping.push(bytes).length + stripping.end().length <= bytes.length, 'taking out has added something');
};

const readSpool = (bytes: Buffer): void => {
  const files = new Map([[SPOOL.name, { bytes: Buffer.from(bytes), length: bytes.length }]]);
  const spool = openSpool({ disk: makeMemoryDisk(files) });
  hold(spool.opened.records >= 0, 'no count of records');
  spool.close();
};

export const BOUNDARIES: readonly Boundary[] = [
  ...FORMATS.map((format) => ({
    name: `a request of ${format}`,
    seeds: REQUESTS[format],
    refusals: [],
    read: readRequest(format),
  })),
  ...FORMATS.map((format) => ({
    name: `an answer of ${format}`,
    seeds: ANSWERS[format],
    refusals: [],
    read: (bytes: Buffer) => {
      soundAnswer(readAnswer(format, bytes));
    },
  })),
  ...FORMATS.map((format) => ({
    name: `a stream of ${format}`,
    seeds: STREAMS[format],
    share: 50,
    refusals: [],
    read: readStream(format),
  })),
  {
    name: 'a path',
    seeds: PATHS,
    refusals: [],
    read: (bytes) => {
      const [method = '', target = ''] = textOf(bytes).split(' ');
      pathFate(method, target);
    },
  },
  wire('hello', LEDGER.hello, decodeHello, encodeHello),
  wire('welcome', LEDGER.helloReply, decodeHelloReply, encodeHelloReply),
  wire('lease', LEDGER.lease, decodeAcquireRequest, encodeAcquireRequest),
  wire('grant', LEDGER.grant, decodeAcquireResult, encodeAcquireResult),
  wire('refusal', LEDGER.denial, decodeAcquireResult, encodeAcquireResult),
  wire('give-back', LEDGER.giveBack, decodeGiveBack, encodeGiveBack),
  wire('events', LEDGER.events, decodeEvents, encodeEvents),
  wire('close', LEDGER.close, decodeClose, encodeClose),
  wire('intent', LEDGER.intent, decodeIntent, encodeIntent),
  {
    name: "a line of the server's stream",
    seeds: bytesOf(LEDGER.recall, SNAPSHOT, '{"ping":1}'),
    refusals: [WireFault],
    read: (bytes) => {
      decodeStreamLine(textOf(bytes));
    },
  },
  {
    name: "a server's error",
    seeds: bytesOf('{"error":{"code":"x","message":"y"}}'),
    refusals: [],
    read: (bytes) => {
      const { code, message } = readErrorBody(textOf(bytes));
      hold(typeof code === 'string' && typeof message === 'string', 'no words');
    },
  },
  {
    name: 'a snapshot',
    seeds: bytesOf(SNAPSHOT),
    share: 50,
    refusals: [WireFault],
    read: (bytes) => {
      checkSnapshot(parseJson(textOf(bytes)));
    },
  },
  {
    name: 'a manifest',
    seeds: bytesOf(...MANIFESTS),
    share: 4,
    refusals: [],
    read: (bytes) => {
      const { resources, faults } = parseManifests(textOf(bytes), 'fuzz.yaml');
      for (const { path, message } of faults) hold(typeof path === 'string' && message !== '', 'a fault without words');
      hold(
        resources.every(({ resource }) => resource.metadata.name !== ''),
        'a resource without a name',
      );
    },
  },
  { name: 'a spool on disk', seeds: [SPOOL.bytes], share: 20, refusals: [SpoolFault], read: readSpool },
  {
    name: 'an amount of money',
    seeds: bytesOf('12.345678901', '0.1', '9007199.254740991', '-3', '1e5'),
    refusals: [RangeError, SyntaxError, TypeError],
    read: (bytes) => {
      hold(parseUsd(textOf(bytes)) >= 0n, 'money below nothing');
    },
  },
  {
    name: 'an address to listen at',
    seeds: bytesOf('127.0.0.1:4100', '[::1]:0', ':80', 'localhost:99999'),
    refusals: [],
    read: (bytes) => {
      const address = parseListen(textOf(bytes));
      hold(address === null || (address.port >= 0 && address.port <= 65_535), 'no port');
    },
  },
];
