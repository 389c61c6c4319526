import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apiKeyPrefix, credentialHash, isApiKey, matchesAny, newApiKey, newSecret } from './credentials.js';

describe('an API key', () => {
  it('is gh_, eight characters and 256 random bits in base64url', () => {
    const key = newApiKey();
    expect(key.plain).toMatch(/^gh_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(key.plain.slice(12), 'base64url')).toHaveLength(32);
    expect(isApiKey(key.plain)).toBe(true);
  });

  it('shows its prefix and no random bit', () => {
    const key = newApiKey();
    expect(key.prefix).toBe(key.plain.slice(0, 11));
    expect(apiKeyPrefix(key.plain)).toBe(key.prefix);
  });

  it('is stored as the SHA-256 of all of it', () => {
    const key = newApiKey();
    expect(key.hash).toEqual(createHash('sha256').update(key.plain).digest());
  });

  it('is never made twice', () => {
    const keys = Array.from({ length: 500 }, () => newApiKey().plain);
    expect(new Set(keys).size).toBe(500);
  });

  it.each([
    '',
    'gh_',
    'sk_test_abc',
    'gh_abcdefgh_short',
    `gh_ABCDEFGH_${'a'.repeat(43)}`,
    `gh_abcdefgh_${'a'.repeat(44)}`,
  ])('has no other form: %j', (text) => {
    expect(isApiKey(text)).toBe(false);
  });

  it('with anything before or after it is none', () => {
    const { plain } = newApiKey();
    expect([`${plain} `, ` ${plain}`, `${plain}\n`, `${plain}, ${plain}`].filter((text) => isApiKey(text))).toEqual([]);
  });
});

describe('a client secret', () => {
  it('needs no form encoding in HTTP Basic', () => {
    const { plain } = newSecret();
    expect(encodeURIComponent(plain)).toBe(plain);
  });
});

describe('matching a digest', () => {
  const [a, b, c] = [newSecret(), newSecret(), newSecret()];

  it('finds it wherever it stands', () => {
    expect(matchesAny(credentialHash(a.plain), [a.hash, b.hash])).toBe(true);
    expect(matchesAny(credentialHash(b.plain), [a.hash, b.hash])).toBe(true);
  });

  it('finds nothing else, and nothing in nothing', () => {
    expect(matchesAny(credentialHash(c.plain), [a.hash, b.hash])).toBe(false);
    expect(matchesAny(credentialHash(c.plain), [])).toBe(false);
    expect(matchesAny(credentialHash(a.plain), [a.hash.subarray(0, 16), Buffer.alloc(0)])).toBe(false);
  });
});
