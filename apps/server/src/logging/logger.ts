import pino, { type Logger as PinoLogger } from 'pino';
import type { LogLevel } from '../config';

/** Injection token of the {@link Logger}. */
export const LOGGER = Symbol('Logger');
export type Logger = PinoLogger;

/** One JSON object a line on stdout. What may hold a token or a body is never given to it. */
export function createLogger(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
