/**
 * Headers that a record may show: protocol and bookkeeping, nothing a person or a secret could stand in. Everything else is left out by
 * not being named here. `User-Agent` stands in the record as `agent`; `Idempotency-Key`, cookies, credentials and signatures never do.
 */
export const REQUEST_HEADERS = [
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-length',
  'content-type',
  'if-match',
  'if-none-match',
  'traceparent',
  'transfer-encoding',
  'x-request-id',
] as const;

export const RESPONSE_HEADERS = [
  'age',
  'allow',
  'content-encoding',
  'content-length',
  'content-type',
  'etag',
  'gatehouse-code',
  'gatehouse-rung',
  'idempotency-replayed',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'www-authenticate',
] as const;

export type HeaderValues = Readonly<Record<string, number | string | string[] | undefined>>;

const LONGEST = 256;
/** A header is the caller's own text: what does not look like bookkeeping is not kept. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** The named headers that are there, by name in order. */
export function pickHeaders(
  names: readonly string[],
  headers: HeaderValues | undefined,
): Record<string, string> | undefined {
  if (headers === undefined) return undefined;
  let picked: Record<string, string> | undefined;
  for (const name of names) {
    const value = headers[name];
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    if (text.length > LONGEST || !PRINTABLE.test(text)) continue;
    picked ??= {};
    picked[name] = text;
  }
  return picked;
}
