export * from './format.ts';
export { type PathInfo, readEnvelope } from './envelope/read-envelope.ts';
export { type RequestChanges, spliceRequest } from './envelope/splice.ts';
export { nfkcBytes } from './scan/nfkc-bytes.ts';
export { readAnswer } from './answer/read-answer.ts';
export { type StreamMeterOptions, makeStreamMeter } from './stream/stream-meter.ts';
