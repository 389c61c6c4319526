import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** `gh_`, eight characters to tell keys apart by, and 256 random bits. */
const API_KEY = /^gh_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/;
const PREFIX_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const PREFIX_LENGTH = 'gh_'.length + 8;

/** SHA-256 of a whole credential: the only form in which one is stored or looked up. */
export function credentialHash(credential: string): Buffer {
  return hash('sha256', credential, 'buffer');
}

export interface NewCredential {
  /** Shown once and never stored. */
  plain: string;
  hash: Buffer;
}

export interface NewApiKey extends NewCredential {
  prefix: string;
}

export function newApiKey(): NewApiKey {
  const letters = Array.from({ length: 8 }, () => PREFIX_ALPHABET[randomInt(PREFIX_ALPHABET.length)]).join('');
  const plain = `gh_${letters}_${randomBytes(32).toString('base64url')}`;
  return { plain, prefix: apiKeyPrefix(plain), hash: credentialHash(plain) };
}

/** A secret of the client credentials grant: base64url only, so that HTTP Basic needs no form encoding of it (RFC 6749 section 2.3.1). */
export function newSecret(): NewCredential {
  const plain = `ghs_${randomBytes(32).toString('base64url')}`;
  return { plain, hash: credentialHash(plain) };
}

export function isApiKey(text: string): boolean {
  return API_KEY.test(text);
}

/** The part of a key that may be shown and recorded. */
export function apiKeyPrefix(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}

/** Whether the digest is one of the stored ones; every one is compared, so that the time tells nothing of which. */
export function matchesAny(digest: Buffer, stored: readonly Buffer[]): boolean {
  let found = false;
  for (const candidate of stored)
    found = (candidate.length === digest.length && timingSafeEqual(candidate, digest)) || found;
  return found;
}
