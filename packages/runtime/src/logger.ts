/** Logs are events, one JSON object a line, made of allowed fields only (`log-fields.ts`). */
import { destination as fileDestination, pino, stdTimeFunctions, type DestinationStream } from 'pino';
import { plainFields, type LogFields } from './log-fields.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** error: someone must act. warn: degraded but serving. info: state changed. debug: the rest. The message is a fixed text. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose every line carries these fields. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly process: string;
  readonly level: LogLevel;
  readonly version?: string;
  /** A file descriptor (1 is stdout, 2 stderr) or anything that takes lines. Default 1. */
  readonly to?: number | { write(line: string): void };
}

/**
 * @example
 * const log = makeLogger({ process: 'proxy', level: 'info' });
 * log.info({ budget: 'team-a/monthly', reason: 'exhausted' }, 'request refused');
 */
export const makeLogger = ({ process, level, version, to = 1 }: LoggerOptions): Logger => {
  // Written at once: the last line before a crash is the one that matters, and no line is written per call at `info`.
  const stream: DestinationStream = typeof to === 'number' ? fileDestination({ dest: to, sync: true }) : to;
  const base = { process, ...(version === undefined ? {} : { version }) };
  // pino would rebuild `err` from the plain object that `plainFields` made of it.
  const serializers = { err: (plain: unknown) => plain };
  const formatters = { level: (label: string) => ({ level: label }) };
  return wrap(pino({ level, base, timestamp: stdTimeFunctions.isoTime, formatters, serializers }, stream));
};

/** Writes nothing: for tests and for code run as a library. */
export const silentLogger = (): Logger => {
  const nothing = (): void => undefined;
  const logger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => logger };
  return logger;
};

const wrap = (inner: pino.Logger): Logger => {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      if (inner.isLevelEnabled(level)) inner[level](plainFields(fields), message);
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(inner.child(plainFields(fields))),
  };
};
