import { type DestinationStream, type Logger, pino } from 'pino';
import { ConsoleLogger, type LoggerService } from '@nestjs/common';
import { ProblemError } from '../problems/problem-error.js';

/** What a log line may carry besides its message: an allow-list of names, so that no body, name or secret can slip in (rule 3). */
export interface LogFields {
  callId?: string;
  traceId?: string;
  route?: string;
  operation?: string;
  count?: number;
  durationMs?: number;
  setting?: string;
  url?: string;
  pid?: number;
  job?: string;
  /** Id of a drill. */
  drill?: string;
  /** Why the gateway did it, in its own words. */
  why?: string;
  error?: unknown;
}

interface SafeError {
  type: string;
  code?: string;
  stack?: string;
}

/** The kind and place of an error, never its message: a database's or parser's message can quote the data it choked on. */
export function safeError(error: unknown): SafeError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8);
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : error instanceof ProblemError ? { code: error.code } : {}),
    ...(frames.length > 0 ? { stack: frames.map((frame) => frame.trim()).join(' | ') } : {}),
  };
}

/** The operational log: JSON lines on standard error. Messages are fixed sentences of ours; all that varies is in the fields. */
export class Log {
  readonly #logger: Logger;
  readonly #listeners = new Set<(line: string) => void>();

  constructor(
    level: 'debug' | 'info' | 'warn' | 'error' | 'silent' = 'info',
    out: DestinationStream = pino.destination({ fd: 2, sync: true }),
  ) {
    this.#logger = pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      {
        write: (line) => {
          out.write(line);
          for (const listener of this.#listeners) listener(line);
        },
      },
    );
  }

  /** Gives each line, as it is written, to a listener too, which must be quick and must not throw. @returns what ends it. */
  tee(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(safe(fields), message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(safe(fields), message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(safe(fields), message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(safe(fields), message);
  }
}

function safe(fields: LogFields): object {
  const { error, ...rest } = fields;
  return error === undefined ? rest : { ...rest, error: safeError(error) };
}

/** Nest's own start-up chatter is left out; its warnings and errors keep their kind but not their text. */
export class NestLog extends ConsoleLogger implements LoggerService {
  constructor(private readonly sink: Log) {
    super();
  }

  override log(): void {}
  override debug(): void {}
  override verbose(): void {}

  override warn(): void {
    this.sink.warn('the framework warned');
  }

  override error(message: unknown): void {
    this.sink.error('the framework reported an error', {
      error: message instanceof Error ? message : new Error('framework'),
    });
  }
}
