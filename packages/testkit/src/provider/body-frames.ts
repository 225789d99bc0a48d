/** Puts an answer into bytes, frame by frame: the framing of each format, and what a test wants to see done to it. */
import type { Behaviour } from './behaviour.ts';
import type { Rendering, StreamPart, WireFormat } from './wire-format.ts';

export interface Frame {
  readonly bytes: Buffer;
  /** Output tokens that have been handed over once these bytes are. */
  readonly tokens: number;
}

export type Framing = 'sse' | 'json-array';

const LINE_PIECE = Buffer.alloc(65_536, 'x');
const ENDINGS = { lf: '\n', crlf: '\r\n', cr: '\r' } as const;

export function* answerFrames(format: WireFormat, rendering: Rendering): Iterable<Frame> {
  const answer = JSON.stringify(format.renderAnswer(rendering), null, format.isIndented ? 2 : 0);
  const tokens = rendering.reply.usage.output + rendering.reply.usage.reasoning + rendering.reply.usage.audioOutput;
  const { lineBytes, bom } = rendering.behaviour;
  if (bom === true) yield text('\uFEFF');
  if (lineBytes !== undefined) yield* longLine('{"padding":"', lineBytes, '",\n');
  yield { bytes: Buffer.from(lineBytes === undefined ? answer : answer.replace('{', '')), tokens };
}

export function* streamFrames(format: WireFormat, rendering: Rendering, framing: Framing): Iterable<Frame> {
  const { behaviour } = rendering;
  const ending = behaviour.lineEnding === undefined ? format.lineEnding : ENDINGS[behaviour.lineEnding];
  const encode = framing === 'sse' ? sseEncoder(ending) : jsonArrayEncoder();
  const comment = text(`: keep-alive${ending}${ending}`);
  if (behaviour.bom === true) yield text('\uFEFF');
  for (let sent = 0; sent < (behaviour.keepAlives ?? 0); sent += 1) yield comment;

  const isTrimmed = behaviour.noFinalNewline === true;
  let held: Frame | null = null; // only the last frame loses its newline, so the newest has to wait
  let lineSent = false;
  for (const part of withFaults(format, rendering)) {
    if (held !== null) yield held;
    if (behaviour.comments === true && framing === 'sse') yield comment;
    if (behaviour.lineBytes !== undefined && part.phase === 'content' && !lineSent) {
      lineSent = true;
      yield* longLine(': ', behaviour.lineBytes, ending);
    }
    const frame = { bytes: Buffer.from(encode.part(part)), tokens: part.tokens };
    held = isTrimmed ? frame : null;
    if (!isTrimmed) yield frame;
  }
  if (held !== null) yield { ...held, bytes: Buffer.from(held.bytes.toString().replace(/[\r\n]+$/, '')) };
  if (encode.end !== '') yield text(encode.end);
}

/** Cuts one frame into the writes that a test asked for. */
export function* cut(bytes: Buffer, split: Behaviour['split']): Iterable<Buffer> {
  if (split === undefined) return void (yield bytes);
  if (split !== 'characters') {
    for (let start = 0; start < bytes.length; start += split) yield bytes.subarray(start, start + split);
    return;
  }
  let start = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const isLead = (bytes[index] ?? 0) >= 0xc0;
    if (!isLead) continue;
    yield bytes.subarray(start, index + 1);
    start = index + 1;
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

function* withFaults(format: WireFormat, rendering: Rendering): Iterable<StreamPart> {
  const { errorAfterChunks, endless } = rendering.behaviour;
  const content: StreamPart[] = [];
  let sent = 0;
  for (const part of format.renderStream(rendering)) {
    if (errorAfterChunks !== undefined && sent === errorAfterChunks) {
      return void (yield {
        phase: 'close',
        tokens: 0,
        ...format.errors.event('The server had an error while it answered.'),
      });
    }
    if (endless === true && part.phase === 'close' && content.length > 0) for (;;) yield* content;
    if (endless === true && part.phase === 'content') content.push(part);
    yield part;
    sent += 1;
  }
}

const sseEncoder = (ending: string): { part: (part: StreamPart) => string; end: string } => ({
  part: ({ event, data }) => {
    const named = event === undefined ? '' : `event: ${event}${ending}`;
    return `${named}data: ${typeof data === 'string' ? data : JSON.stringify(data)}${ending}${ending}`;
  },
  end: '',
});

/** Gemini without `alt=sse`: one JSON array whose elements come one by one. */
const jsonArrayEncoder = (): { part: (part: StreamPart) => string; end: string } => {
  let isFirst = true;
  return {
    part: ({ data }) => {
      const lead = isFirst ? '[' : ',\r\n';
      isFirst = false;
      return `${lead}${JSON.stringify(data, null, 2)}\n`;
    },
    end: ']\n',
  };
};

function* longLine(before: string, bytes: number, after: string): Iterable<Frame> {
  yield text(before);
  for (let left = bytes; left > 0; left -= LINE_PIECE.length)
    yield { bytes: LINE_PIECE.subarray(0, Math.min(left, LINE_PIECE.length)), tokens: 0 };
  yield text(after);
}

const text = (written: string): Frame => ({ bytes: Buffer.from(written), tokens: 0 });
