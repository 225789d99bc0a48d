import type { Logger, LogFields } from '../index.ts';

/** A logger that keeps its lines, for tests of what is logged and how often. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly LoggedLine[];
}

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export const recordingLogger = (): RecordingLogger => {
  const lines: LoggedLine[] = [];
  const write =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, message, fields });
    };
  const logger: RecordingLogger = {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: () => logger,
  };
  return logger;
};
