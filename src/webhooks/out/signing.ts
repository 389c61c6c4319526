import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** Ways of signing of the Standard Webhooks specification: `v1` with a secret that both know, `v1a` with a key that only we have. */
export const SCHEMES = ['hmac', 'ed25519'] as const;

export type Scheme = (typeof SCHEMES)[number];

export interface SigningKey {
  scheme: Scheme;
  /** Of `hmac` the secret's bytes, of `ed25519` the private key as PKCS #8. */
  secret: Buffer;
}

export interface MadeKey extends SigningKey {
  /** What the receiver is told, once and no more: `whsec_…`; undefined where a public key is all that it needs. */
  shown: string | undefined;
  /** `whpk_…` */
  publicKey: string | undefined;
}

/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32;
const ED25519_BYTES = 32;

export function makeKey(scheme: Scheme): MadeKey {
  if (scheme === 'hmac') {
    const secret = randomBytes(SECRET_BYTES);
    return { scheme, secret, shown: `whsec_${secret.toString('base64')}`, publicKey: undefined };
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-ED25519_BYTES);
  return {
    scheme,
    secret: privateKey.export({ type: 'pkcs8', format: 'der' }),
    shown: undefined,
    publicKey: `whpk_${raw.toString('base64')}`,
  };
}

/**
 * Headers of one attempt, signed with every key that is valid, so that a receiver which knows either of two can check.
 * @param id of the event: the same on every attempt, by which a receiver knows what it has had
 * @param timestamp of the attempt, in seconds
 */
export function signedHeaders(
  id: string,
  timestamp: number,
  body: string,
  keys: readonly SigningKey[],
): Record<string, string> {
  const content = Buffer.from(`${id}.${timestamp}.${body}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys.map((key) => signature(key, content)).join(' '),
  };
}

function signature({ scheme, secret }: SigningKey, content: Buffer): string {
  if (scheme === 'hmac') return `v1,${createHmac('sha256', secret).update(content).digest('base64')}`;
  const key = createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' });
  return `v1a,${sign(null, content, key).toString('base64')}`;
}

/** The key by which `v1a` signatures are checked. */
export function publicKeyOf(shown: string): ReturnType<typeof createPublicKey> {
  const x = Buffer.from(shown.replace(/^whpk_/, ''), 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
