import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isJsonObject, parseJson, writeJson, type JsonObject } from '../wire/json.js';
import { canonicalText, signWebhook, simpleText } from './signer.js';

const secret = 'test_secret_for_docs_only_000000000000000000';

const parse = (text: string): JsonObject => {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Error('an object was expected');
  return value;
};

const plain = parse(
  '{"webhook_type":"status.updated","timestamp":1774970000,"created_at":1774969994,"event_id":"0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10","environment":"sandbox","session_id":"11111111-2222-3333-4444-555555555555","status":"Approved","vendor_data":"user-42"}',
);

const awkward = parse(
  String.raw`{"webhook_type":"status.updated","timestamp":1774970000,"created_at":1774969994,"event_id":"7d1c3b8e-8d0b-4c3c-9f43-8c6a3e0a2b11","session_id":"11111111-2222-3333-4444-555555555555","status":"In Review","vendor_data":"usuario-ñ/😀","metadata":{"z":{"b":90.0,"a":[3.50,-0.0,null,true]},"10":"ten","9":"nine","Ángel":"José \u2028 \"q\" </b>","a":"line\nbreak"},"decision":{"session_id":"11111111-2222-3333-4444-555555555555","liveness_checks":[{"score":90.0,"face_quality":85.25,"node_id":"feature_liveness"}],"id_verifications":[{"full_name":"Zoë Müller-Łukasz 王小明","address":"Calle Nápoles 227"}]}}`,
);

describe('signWebhook', () => {
  it('signs a plain payload as the worked example does', () => {
    const { body, headers } = signWebhook(plain, secret);
    expect(body.length).toBe(250);
    expect(headers['x-signature-v2']).toBe('020742604bd8ecb39b79adfa0ea6f42d21a4aa8a0c0ec95c179a4c5b4ae63fd7');
    expect(headers['x-signature']).toBe(headers['x-signature-v2']);
    expect(headers['x-signature-simple']).toBe('ac17f963765f6170b050e2196e176ff784fdc153c7c8b171dd96093ff4f8f27e');
    expect(headers['x-timestamp']).toBe('1774970000');
  });

  it('signs the awkward payload as the worked example does', () => {
    const { headers } = signWebhook(awkward, secret, 'shortened');
    expect(Buffer.byteLength(canonicalText(awkward))).toBe(602);
    expect(headers['x-signature-v2']).toBe('b900753a0b7fcc1ee0999dabe48f3e4582d2633374ae0905553c346ea4f7a78b');
    expect(headers['x-signature']).toBe('102f384617af2f35305d3be0e1871f86ea718d2802bc8593309a8fbcb1587ba5');
    expect(headers['x-signature-simple']).toBe('6960053a69c29c0cc6437ca48fe2e6f48bc25071731f4b63e0eb59ac7cc090c5');
  });

  it('covers the very bytes it sends, where floats keep their point and V2 stays the same', () => {
    const kept = signWebhook(awkward, secret, 'kept');
    expect(kept.body.toString()).toContain('"b":90.0');
    expect(kept.body.toString()).toMatch(/^[ -~]*$/);
    expect(kept.headers['x-signature']).toBe(createHmac('sha256', secret).update(kept.body).digest('hex'));
    expect(kept.headers['x-signature']).not.toBe(signWebhook(awkward, secret, 'shortened').headers['x-signature']);
    expect(kept.headers['x-signature-v2']).toBe(signWebhook(awkward, secret, 'shortened').headers['x-signature-v2']);
  });

  it('reads missing members of the simple message as empty', () => {
    expect(simpleText({ timestamp: 5, webhook_type: 'data.updated' })).toBe('5:::data.updated');
  });
});

describe('JSON as Python writes it', () => {
  it('orders keys by code point, above the basic plane too', () => {
    expect(canonicalText({ '\u{1F600}': 1, '\uFF5E': 2, b: 3, '10': 4, '9': 5 })).toBe(
      '{"10":4,"9":5,"b":3,"\uFF5E":2,"\u{1F600}":1}',
    );
  });

  it.each([
    ['0.00001', '1e-05', '1e-05'],
    ['0.0001', '0.0001', '0.0001'],
    ['1e16', '1e+16', '10000000000000000'],
    ['123456789012345.6', '123456789012345.6', '123456789012345.6'],
    ['12345678901234567890', '12345678901234567890', '12345678901234567890'],
    ['-0.0', '-0.0', '0'],
    ['-0', '0', '0'],
    ['3.50', '3.5', '3.5'],
    ['67.0', '67.0', '67'],
  ])('%s is written %s, and %s when shortened', (source, kept, shortened) => {
    const value = parseJson(source);
    expect(writeJson(value, { sorted: true, ascii: true, floats: 'kept' })).toBe(kept);
    expect(writeJson(value, { sorted: true, ascii: true, floats: 'shortened' })).toBe(shortened);
  });

  it('refuses what nests too deeply', () => {
    expect(() => parseJson('['.repeat(300) + ']'.repeat(300))).toThrow(SyntaxError);
  });
});
