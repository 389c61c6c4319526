import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type ProblemCode, retryAfterSeconds } from '../../platform/index.js';
import { classifyError, isJson } from './errors.js';
import type { RawAnswer } from './exchange.js';
import { VendorFailure } from '../failure.js';
import { GUARDS } from './guards.js';
import { parseJsonBytes } from './json.js';
import type { OperationName, VendorOperation } from './operations.js';

/** Headers of an answer that may be looked at or handed on. */
const HEADERS = [
  'content-type',
  'content-disposition',
  'retry-after',
  'age',
  'cache-control',
  'date',
  'expires',
  'pragma',
  'vary',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
] as const;

/** What the vendor answered, checked; errors of the caller's own making are answers too and carry `code`. */
export interface VendorAnswer {
  operation: OperationName;
  status: number;
  /** Allow-listed, names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The JSON that came, unmasked; undefined where there was none or none that may be shown. */
  body: unknown;
  /** The bytes as they came; empty when they stream. */
  raw: Buffer;
  /** The body as it comes, for operations whose answer is a PDF. Whoever asked must read or destroy it. */
  stream?: Readable;
  /** `Gatehouse-Code` of an error that is passed on; undefined on success. */
  code?: ProblemCode;
  /** How many times it was sent: more than once when a key was refused or it was repeated; 0 when an equal call brought the answer. */
  attempts: number;
  /** Whether an equal call that was under way brought the answer. */
  collapsed?: boolean;
  durationUs: number;
}

export type CheckedAnswer = Omit<VendorAnswer, 'attempts' | 'collapsed' | 'durationUs'>;

/**
 * Turns what came over the wire into an answer.
 * @throws VendorFailure for everything that is the vendor's own trouble.
 */
export function checkAnswer(
  name: OperationName,
  operation: VendorOperation,
  answer: RawAnswer,
  params: Readonly<Record<string, string>>,
  nowMs: number,
): CheckedAnswer {
  const { status, raw, stream } = answer;
  const headers = allowed(answer.headers);
  const base = { operation: name, status, headers, raw };
  // Compression was not asked for; decoding it unasked is how small answers become large ones.
  if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') throw invalid(status, 'content-encoding');
  if (status >= 400) return { ...base, ...passedError(operation, answer, nowMs) };
  // Following a redirect would carry the credential to wherever it points.
  if (status < 200 || status >= 300) throw invalid(status, 'redirect');
  if (stream !== undefined) return { ...base, body: undefined, stream };
  if (operation.answer !== 'json') throw invalid(status, 'content-type');
  const body = raw.length === 0 ? undefined : jsonOf(answer);
  if (!GUARDS[name](body, params)) throw invalid(status, 'schema');
  return { ...base, body };
}

function passedError(operation: VendorOperation, answer: RawAnswer, nowMs: number) {
  const { status, raw } = answer;
  const found = classifyError(operation, status, answer.headers['content-type'], raw);
  if (found.kind === 'pass') return { body: found.body, code: found.code };
  const wait = retryAfterSeconds(answer.headers['retry-after'], nowMs);
  throw new VendorFailure(found.problem, {
    outcome: found.outcome,
    status,
    reason: found.reason,
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  });
}

function jsonOf(answer: RawAnswer): unknown {
  if (!isJson(answer.headers['content-type'])) throw invalid(answer.status, 'content-type');
  const body = parseJsonBytes(answer.raw);
  if (body === undefined) throw invalid(answer.status, 'json');
  return body;
}

function invalid(status: number, reason: string): VendorFailure {
  return new VendorFailure('vendor-invalid-answer', { outcome: 'unknown', status, reason: `answer.${reason}` });
}

function allowed(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}
