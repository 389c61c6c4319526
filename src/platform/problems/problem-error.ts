import { type ProblemCode, PROBLEMS } from './catalogue.js';

export interface FieldError {
  /** JSON pointer (RFC 6901) into the request body, or '' for the request as a whole. */
  pointer: string;
  message: string;
}

export interface ProblemOptions {
  /** The sentence for the caller; the catalogue's own when absent. Must tell no secret and no personal data. */
  detail?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
  /** The rule that refused and why: for the record only, never for the caller. */
  rule?: string;
  reason?: string;
  cause?: unknown;
}

/** Every list takes its cursor under one name. */
const CURSOR: FieldError = { pointer: '/cursor', message: 'is not one that this list gave out' };

/** An expected refusal: becomes problem details outside and a deny decision in the record. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  readonly rule: string;
  readonly reason: string;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.detail = options.detail ?? PROBLEMS[code].detail;
    this.errors = options.errors ?? (code === 'invalid-cursor' ? [CURSOR] : undefined);
    this.headers = options.headers ?? {};
    this.rule = options.rule ?? code;
    this.reason = options.reason ?? PROBLEMS[code].title;
  }
}
