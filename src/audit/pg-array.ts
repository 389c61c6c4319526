const HEADER_BYTES = 20;
const UUID_BYTES = 16;
const OID = { bytea: 17, uuid: 2950 } as const;

/**
 * A one-dimensional array in Postgres' binary wire format (array_recv): element count and lengths, each element as it is. The driver's
 * own text form would double every byte as hex on both sides of the connection.
 */
function binaryArray(oid: number, elements: readonly (Buffer | null)[]): Buffer {
  let bytes = HEADER_BYTES;
  for (const element of elements) bytes += 4 + (element?.length ?? 0);
  const out = Buffer.allocUnsafe(bytes);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  out.writeInt32BE(oid, 8);
  out.writeInt32BE(elements.length, 12);
  out.writeInt32BE(1, 16);
  let at = HEADER_BYTES;
  for (const element of elements) {
    at = out.writeInt32BE(element === null ? -1 : element.length, at);
    if (element !== null) at += element.copy(out, at);
  }
  return out;
}

/** As parameter for `$n::bytea[]`. */
export function byteaArray(elements: readonly (Buffer | null)[]): Buffer {
  return binaryArray(OID.bytea, elements);
}

/** As parameter for `$n::uuid[]`; each id in its text form of 36 characters. */
export function uuidArray(ids: readonly string[]): Buffer {
  const bytes = Buffer.from(ids.join('').replaceAll('-', ''), 'hex');
  return binaryArray(
    OID.uuid,
    ids.map((_, n) => bytes.subarray(n * UUID_BYTES, (n + 1) * UUID_BYTES)),
  );
}
