export {
  type Answer,
  type Envelope,
  type EnvelopeFault,
  type EnvelopeResult,
  type ErrorShape,
  FORMATS,
  type FormatId,
  type ImagePart,
  type Provider,
  type SplicePoints,
  type StreamMeter,
  type Unboundable,
} from './format.ts';
export { readAnswer } from './answer/read-answer.ts';
export { type PathInfo, readEnvelope } from './envelope/read-envelope.ts';
export { type RequestChanges, spliceRequest } from './envelope/splice.ts';
export { type PathError, type PathFate, pathFate } from './paths/path-fate.ts';
export { MOUNTS, type Method, type Mount, PATHS, type PathRow } from './paths/path-table.ts';
export { type RefusalFacts, type RenderedRefusal, renderRefusal } from './refusal/render-refusal.ts';
export { type StreamEnd, renderStreamEnd } from './refusal/render-stream-end.ts';
export { type StreamMeterOptions, makeStreamMeter } from './stream/stream-meter.ts';
