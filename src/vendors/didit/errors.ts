import type { ProblemCode } from '../../platform/index.js';
import type { VendorOutcome } from '../failure.js';
import { isObject, parseJsonBytes } from './json.js';
import type { VendorOperation } from './operations.js';

/** Didit's error bodies as they occur; there is no one envelope. `opaque`: HTML, empty or anything else that is no JSON of these. */
type ErrorShape = 'detail' | 'error' | 'fields' | 'messages' | 'opaque';

export type ErrorClass =
  | {
      /** The vendor refused what the caller asked: its status and body go back, with this code beside them. */
      kind: 'pass';
      code: ProblemCode;
      shape: ErrorShape;
      /** undefined when the vendor's body cannot be shown and ours stands in for it. */
      body: unknown;
    }
  | { kind: 'failure'; problem: ProblemCode; outcome: VendorOutcome; reason: string };

const PASSED: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid-request',
  404: 'not-found',
  409: 'conflict',
  422: 'unprocessable',
};
const CREDIT = /enough credits|balance (?:is )?too low|insufficient (?:credits|balance)/i;
const CREDIT_CODES = new Set(['contract_billing_suspended', 'insufficient_credits']);
const CREDENTIALS = /permission|credential|api key|ip address|not allowed from/i;

/** What an answer of 400 or more means for the caller. `raw` is the body as it came. */
export function classifyError(
  operation: VendorOperation,
  status: number,
  contentType: string | undefined,
  raw: Buffer,
): ErrorClass {
  const body = isJson(contentType) ? parseJsonBytes(raw) : undefined;
  // Session create tells a want of credit by a 400, standalone checks by a 403, newer families by a 402.
  if (status === 402 || ((status === 400 || status === 403) && tellsCredit(body)))
    return failure('vendor-credit', 'none', `credit.${status}`);
  if (status === 403 && operation.answer === 'pdf' && tellsState(body)) return pass('conflict', body);
  if (status === 401 || status === 403) return failure('vendor-credentials', 'none', `credentials.${status}`);
  if (status === 429) return failure('vendor-unavailable', 'none', 'rate-limited');
  const code = PASSED[status];
  if (code !== undefined) return pass(code, body);
  return failure('vendor-error', status < 500 ? 'none' : 'unknown', `status.${status}`);
}

export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

function pass(code: ProblemCode, body: unknown): ErrorClass {
  const shape = shapeOf(body);
  return { kind: 'pass', code, shape, body: shape === 'opaque' ? undefined : body };
}

function failure(problem: ProblemCode, outcome: VendorOutcome, reason: string): ErrorClass {
  return { kind: 'failure', problem, outcome, reason };
}

function shapeOf(body: unknown): ErrorShape {
  if (Array.isArray(body))
    return body.length > 0 && body.every((item) => typeof item === 'string') ? 'messages' : 'opaque';
  if (!isObject(body) || Object.keys(body).length === 0) return 'opaque';
  if ('detail' in body) return 'detail';
  return 'error' in body ? 'error' : 'fields';
}

/** The sentences that stand where Didit speaks for itself; never those of single fields, whose texts may quote the caller. */
function sentences(body: unknown): string[] {
  if (!isObject(body)) return [];
  return [body['detail'], body['error']].flat().filter((text) => typeof text === 'string');
}

function tellsCredit(body: unknown): boolean {
  if (isObject(body) && typeof body['code'] === 'string' && CREDIT_CODES.has(body['code'])) return true;
  return sentences(body).some((text) => CREDIT.test(text));
}

/** On the PDF's route a 403 may be the state of the session or the key of the gateway, and only the sentence tells which. */
function tellsState(body: unknown): boolean {
  const told = sentences(body);
  return told.length > 0 && !told.some((text) => CREDENTIALS.test(text));
}
