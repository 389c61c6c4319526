import { hash, randomFillSync } from 'node:crypto';

const KEY_BYTES = 16;
const POOL = Buffer.alloc(KEY_BYTES * 256);
let offset = POOL.length;

/** A key for the digests of one record's bodies, out of a pool filled once in a while. */
export function randomKey(): Buffer {
  if (offset === POOL.length) {
    randomFillSync(POOL);
    offset = 0;
  }
  const key = Buffer.from(POOL.subarray(offset, offset + KEY_BYTES));
  offset += KEY_BYTES;
  return key;
}

/**
 * Digests of a record's bodies: HMAC-SHA-256 under a random key of 128 bits, one a record, kept beside the log in audit.digest_keys.
 * Who holds a body can prove it to be that of the record; who erases the key leaves a digest that says nothing about anybody, and no proof
 * breaks. What a digest is of stands before the bytes, so that request and answer never share one.
 */
export class BodyDigests {
  #key: Buffer | undefined;

  /** Undefined as long as nothing was digested. */
  get key(): Buffer | undefined {
    return this.#key;
  }

  /** @returns `hmac-sha256:` and hex; undefined for no body. */
  of(part: 'request' | 'response', body: Uint8Array | string | undefined): string | undefined {
    if (body === undefined || body.length === 0) return undefined;
    this.#key ??= randomKey();
    return bodyDigest(this.#key, part, body);
  }
}

/** The digest of a body under a record's key: to compare with the record. */
export function bodyDigest(key: Uint8Array, part: 'request' | 'response', body: Uint8Array | string): string {
  return `hmac-sha256:${hmac(key, `${part}\n`, body)}`;
}

const BLOCK_BYTES = 64;

/**
 * HMAC (RFC 2104) of `label` and `body` under a key no longer than a block, by two one-shot hashes: on every call there are two digests,
 * and setting up node's streaming HMAC costs three times what it then hashes.
 */
function hmac(key: Uint8Array, label: string, body: Uint8Array | string): string {
  const bodyAt = BLOCK_BYTES + label.length;
  const inner = Buffer.allocUnsafe(bodyAt + Buffer.byteLength(body));
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + 32);
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = key[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.write(label, BLOCK_BYTES, 'latin1');
  if (typeof body === 'string') inner.write(body, bodyAt);
  else inner.set(body, bodyAt);
  outer.write(hash('sha256', inner, 'hex'), BLOCK_BYTES, 'hex');
  return hash('sha256', outer, 'hex');
}
