import { type Call, clientOf, type FieldError, ProblemError } from '../../platform/index.js';
import { clientTag, namespaced } from '../../vendors/index.js';

type Json = Record<string, unknown>;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Schemes that a browser would run or read instead of going somewhere. */
const NO_DESTINATION = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'view-source:']);

function invalid(error: FieldError): ProblemError {
  return new ProblemError('invalid-request', { errors: [error], rule: 'input.schema' });
}

/** @throws ProblemError `invalid-request` when the body is no JSON object. */
export function jsonObject(body: unknown): Json {
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && !('pipe' in body)) return body as Json;
  throw invalid({ pointer: '', message: 'must be a JSON object' });
}

/** What the client wrote; null and absent are the same. @throws ProblemError `invalid-request` when it is no text. */
export function ownVendorData(value: unknown, pointer = '/vendor_data'): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw invalid({ pointer, message: 'must be a string' });
}

/** A body with its `vendor_data`, where it has one, in the client's namespace. @throws ProblemError `invalid-request` when it is no text. */
export function ownWords(call: Call, wanted: Json): Json {
  const written = ownVendorData(wanted['vendor_data']);
  if (written === undefined) return wanted;
  return { ...wanted, vendor_data: namespaced(clientTag(clientOf(call).id), written, call.id) };
}

/** A text that the gateway itself goes by. @throws ProblemError `invalid-request` when it is absent, empty, no text or too long. */
export function requiredText(wanted: Json, member: string, longest = 320): string {
  const value = wanted[member];
  if (typeof value === 'string' && value.trim() !== '' && value.length <= longest) return value;
  throw invalid({ pointer: `/${member}`, message: `must be a text of 1 to ${longest} characters` });
}

/** @throws ProblemError `invalid-request` when the member is there. */
export function refuseMember(wanted: Json, member: string, message: string): void {
  if (wanted[member] !== undefined && wanted[member] !== null) throw invalid({ pointer: `/${member}`, message });
}

/**
 * Didit sends the person's browser there, and takes an app's own scheme as well. What would run in the browser is refused here, and so are
 * credentials and plain HTTP beyond the developer's own machine. @throws ProblemError `invalid-request`
 */
export function refuseCallback(value: unknown): void {
  if (typeof value !== 'string' || value === '') return;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain = url?.protocol === 'http:' && !LOOPBACK.has(url.hostname);
  if (url === undefined || plain || NO_DESTINATION.has(url.protocol) || url.username !== '' || url.password !== '')
    throw invalid({
      pointer: '/callback',
      message: 'must be an https URL or an app’s own scheme, without credentials',
    });
}
