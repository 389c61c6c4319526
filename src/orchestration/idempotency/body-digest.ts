import { createHmac } from 'node:crypto';

/** Canonical text of a parsed JSON value (RFC 8785): members in order of their UTF-16 code units, numbers as JavaScript prints them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/**
 * 32 bytes by which two bodies are told apart, whatever their white space and order of members. Keyed, because a body that names a
 * person has few enough variants for its bare hash to be guessed.
 */
export function bodyDigest(key: Buffer, body: unknown): Buffer {
  return createHmac('sha256', key)
    .update(body === undefined ? '' : canonical(body))
    .digest();
}
