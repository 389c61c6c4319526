import { verify } from 'node:crypto';
import { test as property } from '@fast-check/vitest';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { makeKey, publicKeyOf, signedHeaders } from './signing.js';

describe('signatures of webhooks', () => {
  it('are those of the example of the Standard Webhooks specification', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const headers = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}', [
      { scheme: 'hmac', secret },
    ]);
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  property.prop([fc.string(), fc.constantFrom('hmac' as const, 'ed25519' as const)])(
    'are taken by whoever knows either of two keys, and by nobody after a change',
    (text, other) => {
      const body = JSON.stringify({ text });
      const [key, older] = [makeKey('hmac'), makeKey(other)];
      const headers = signedHeaders('msg_1', Math.floor(Date.now() / 1_000), body, [key, older]);
      expect(new Webhook(key.shown ?? '').verify(body, headers)).toEqual({ text });
      expect(() => new Webhook(key.shown ?? '').verify(`${body} `, headers)).toThrow();
      expect(() => new Webhook(makeKey('hmac').shown ?? '').verify(body, headers)).toThrow();
    },
  );

  it('by a key of ours alone are checked with its public half', () => {
    const key = makeKey('ed25519');
    const headers = signedHeaders('msg_1', 1_700_000_000, '{}', [key]);
    const [version, signature = ''] = (headers['webhook-signature'] ?? '').split(',');
    const check = (content: string) =>
      verify(null, Buffer.from(content), publicKeyOf(key.publicKey ?? ''), Buffer.from(signature, 'base64'));
    expect([version, check('msg_1.1700000000.{}'), check('msg_2.1700000000.{}')]).toEqual(['v1a', true, false]);
  });
});
