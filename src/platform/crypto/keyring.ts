import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What a derived key is for: one label a use, so that no key serves two purposes (NIST SP 800-108, key separation). */
export type KeyPurpose =
  | 'vault-wrap'
  | 'issuer-keys'
  | 'subject-pseudonym'
  | 'field-pseudonym'
  | 'ownership'
  | 'cursor'
  | 'one-time-code'
  | 'idempotency'
  | 'webhook-digest'
  | 'webhook-keys'
  | 'cached-answer'
  | 'erasure-journal';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keys derived from the master key by HKDF-SHA-256, one a purpose; AES-256-GCM to seal, HMAC-SHA-256 for pseudonyms. */
export class Keyring {
  readonly #keys = new Map<KeyPurpose, Buffer>();
  readonly #master: Buffer;

  constructor(master: Buffer) {
    if (master.length !== 32) throw new Error('the master key must be 32 bytes');
    this.#master = master;
  }

  key(purpose: KeyPurpose): Buffer {
    const known = this.#keys.get(purpose);
    if (known) return known;
    const derived = Buffer.from(hkdfSync('sha256', this.#master, Buffer.alloc(0), `gatehouse/${purpose}`, 32));
    this.#keys.set(purpose, derived);
    return derived;
  }

  /** A stable pseudonym of `value` under the purpose's key: 128 bits in hex, not reversible without the master key. */
  pseudonym(purpose: KeyPurpose, ...value: string[]): string {
    const mac = createHmac('sha256', this.key(purpose));
    for (const part of value) mac.update(`${Buffer.byteLength(part)}:`).update(part);
    return mac.digest('hex').slice(0, 32);
  }
}

/** AES-256-GCM: nonce ‖ ciphertext ‖ tag. `context` is authenticated and must be the same to open. */
export function seal(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws when the key or context is another one or a byte was changed. */
export function open(key: Buffer, sealed: Buffer, context: string): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(sealed.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
}
