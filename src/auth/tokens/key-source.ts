import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from 'jose';

/** Where the public keys of an issuer come from. @throws jose's `JWKSNoMatchingKey`, or KeysUnavailable. */
export type KeySource = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** The keys cannot be had at all: nothing is said about the token. */
export class KeysUnavailable extends Error {
  constructor(cause?: unknown) {
    super('the key set of the issuer cannot be fetched', { cause });
    this.name = 'KeysUnavailable';
  }
}
