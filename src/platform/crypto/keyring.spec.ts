import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Keyring, open, seal } from './keyring.js';
import { Secret } from './secret.js';

const keyring = new Keyring(Buffer.alloc(32, 7));

describe('seal and open', () => {
  const key = randomBytes(32);

  it('give back what was sealed', () => {
    expect(open(key, seal(key, Buffer.from('Zoë'), 'a'), 'a').toString()).toBe('Zoë');
  });

  it('refuse another context, another key and any changed byte', () => {
    const sealed = seal(key, Buffer.from('plain'), 'row-1');
    expect(() => open(key, sealed, 'row-2')).toThrow();
    expect(() => open(randomBytes(32), sealed, 'row-1')).toThrow();
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => open(key, changed, 'row-1')).toThrow();
    }
  });
});

describe('Keyring', () => {
  it('makes another key for another purpose', () => {
    expect(keyring.key('vault-wrap').equals(keyring.key('issuer-keys'))).toBe(false);
  });

  it('gives stable pseudonyms that tell the parts apart', () => {
    expect(keyring.pseudonym('subject-pseudonym', 'a', 'bc')).toBe(keyring.pseudonym('subject-pseudonym', 'a', 'bc'));
    expect(keyring.pseudonym('subject-pseudonym', 'a', 'bc')).not.toBe(
      keyring.pseudonym('subject-pseudonym', 'ab', 'c'),
    );
  });
});

describe('Secret', () => {
  it('prints itself nowhere', () => {
    const secret = new Secret('hunter2');
    for (const text of [String(secret), JSON.stringify({ secret }), inspect({ secret })])
      expect(text).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });
});
