export { recordingLogger, type RecordingLogger } from './recording-logger.ts';
