import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../platform/index.js';
import { canonicalJson } from './canonical-json.js';
import { judgeWebhook, type WebhookHeaders } from './webhook-signature.js';

const SECRET = 'test_secret_for_docs_only_000000000000000000';
const OTHER = 'another_secret_0000000000000000000000000000';
const SENT = 1_774_970_000;
const NOW = (SENT + 5) * 1_000;

const A =
  '{"created_at":1774969994,"environment":"sandbox","event_id":"0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10","session_id":"11111111-2222-3333-4444-555555555555","status":"Approved","timestamp":1774970000,"vendor_data":"user-42","webhook_type":"status.updated"}';
const A_SIGNATURE = '020742604bd8ecb39b79adfa0ea6f42d21a4aa8a0c0ec95c179a4c5b4ae63fd7';
const A_SIMPLE = 'ac17f963765f6170b050e2196e176ff784fdc153c7c8b171dd96093ff4f8f27e';

const B = String.raw`{"webhook_type":"status.updated","timestamp":1774970000,"created_at":1774969994,"event_id":"7d1c3b8e-8d0b-4c3c-9f43-8c6a3e0a2b11","session_id":"11111111-2222-3333-4444-555555555555","status":"In Review","vendor_data":"usuario-ñ/😀","metadata":{"z":{"b":90.0,"a":[3.50,-0.0,null,true]},"10":"ten","9":"nine","Ángel":"José \u2028 \"q\" </b>","a":"line\nbreak"},"decision":{"session_id":"11111111-2222-3333-4444-555555555555","liveness_checks":[{"score":90.0,"face_quality":85.25,"node_id":"feature_liveness"}],"id_verifications":[{"full_name":"Zoë Müller-Łukasz 王小明","address":"Calle Nápoles 227"}]}}`;
const B_V2 = 'b900753a0b7fcc1ee0999dabe48f3e4582d2633374ae0905553c346ea4f7a78b';
const B_RAW = '102f384617af2f35305d3be0e1871f86ea718d2802bc8593309a8fbcb1587ba5';
const B_SIMPLE = '6960053a69c29c0cc6437ca48fe2e6f48bc25071731f4b63e0eb59ac7cc090c5';

const hmac = (message: string | Buffer, secret = SECRET) => createHmac('sha256', secret).update(message).digest('hex');
const judge = (body: string | Buffer, headers: WebhookHeaders, nowMs = NOW, secrets = [SECRET]) =>
  judgeWebhook(
    Buffer.from(body),
    { timestamp: String(SENT), ...headers },
    secrets.map((secret) => new Secret(secret)),
    nowMs,
  );

/** The body as Didit writes it on the wire: sorted, floats shortened, nothing but ASCII. */
function wire(body: string): string {
  return (canonicalJson(Buffer.from(body)) ?? '').replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

describe('a webhook of Didit’s', () => {
  it('verifies by X-Signature over the raw bytes', () => {
    expect(judge(A, { signature: A_SIGNATURE })).toMatchObject({ kind: 'trusted', scheme: 'raw', timestamp: SENT });
    expect(judge(wire(B), { signature: B_RAW })).toMatchObject({ kind: 'trusted', scheme: 'raw' });
  });

  it('verifies by X-Signature-V2 over the canonical form, however the bytes are written', () => {
    expect(Buffer.byteLength(canonicalJson(Buffer.from(B)) ?? '')).toBe(602);
    expect(judge(A, { signatureV2: A_SIGNATURE })).toMatchObject({ kind: 'trusted', scheme: 'v2' });
    expect(judge(B, { signatureV2: B_V2 })).toMatchObject({ kind: 'trusted', scheme: 'v2' });
    expect(judge(wire(B), { signatureV2: B_V2 })).toMatchObject({ kind: 'trusted', scheme: 'v2' });
  });

  it('gives the event as it was sent', () => {
    const verdict = judge(B, { signatureV2: B_V2 });
    expect(verdict).toHaveProperty('event.metadata.Ángel', 'José \u2028 "q" </b>');
  });

  it('takes either signature when the other one does not hold', () => {
    expect(judge(B, { signature: B_RAW, signatureV2: B_V2 }).kind).toBe('trusted');
    expect(judge(A, { signature: A_SIGNATURE, signatureV2: hmac('x') }).kind).toBe('trusted');
  });

  it('takes either of two secrets while rotating and tells which', () => {
    const signature = hmac(A, OTHER);
    expect(judge(A, { signature }, NOW, [SECRET, OTHER])).toMatchObject({ kind: 'trusted', secret: 1 });
    expect(judge(A, { signature }, NOW, [SECRET])).toEqual({ kind: 'forged', reason: 'no-match' });
  });

  it('trusts nothing on X-Signature-Simple alone, but asks', () => {
    expect(judge(A, { signatureSimple: A_SIMPLE })).toMatchObject({ kind: 'ask', reason: 'simple-only' });
    expect(judge(B, { signatureSimple: B_SIMPLE })).toMatchObject({ kind: 'ask', reason: 'simple-only' });
    const forged = A.replace('"Approved"', '"Declined"');
    expect(judge(forged, { signatureSimple: A_SIMPLE })).toEqual({ kind: 'forged', reason: 'no-match' });
  });

  it('refuses what nobody signed', () => {
    expect(judge(A, {})).toEqual({ kind: 'forged', reason: 'unsigned' });
    expect(judge(A, { signature: hmac(A, OTHER) })).toEqual({ kind: 'forged', reason: 'no-match' });
    expect(judge(A, { signature: '', signatureV2: 'zz' })).toEqual({ kind: 'forged', reason: 'no-match' });
    // The recipe that puts the time before the body is not Didit's.
    expect(judge(A, { signatureV2: hmac(`${SENT}:${A}`) })).toEqual({ kind: 'forged', reason: 'no-match' });
    expect(judge(A, { signature: A_SIGNATURE }, NOW, [])).toEqual({ kind: 'forged', reason: 'no-match' });
  });

  it('asks when the header’s time is not the body’s, which alone is signed', () => {
    const fresh = String(SENT + 250);
    for (const timestamp of [fresh, undefined, '', 'soon', `${SENT}.5`, `-${SENT}`])
      expect(judge(A, { signature: A_SIGNATURE, timestamp })).toMatchObject({ reason: 'timestamp-mismatch' });
    const timeless = '{"status":"Approved"}';
    expect(judge(timeless, { signature: hmac(timeless) })).toMatchObject({ reason: 'timestamp-mismatch' });
  });

  it.each([
    [300, 'trusted'],
    [301, 'ask'],
    [-300, 'trusted'],
    [-301, 'ask'],
  ])('%i seconds after its time it is %s', (seconds, kind) => {
    expect(judge(A, { signature: A_SIGNATURE }, (SENT + seconds) * 1_000).kind).toBe(kind);
  });

  it.each([['not json'], ['[1]'], ['"text"'], ['null'], [''], ['\ufeff{}']])('cannot read %j', (body) => {
    expect(judge(body, { signature: hmac(body) })).toEqual({ kind: 'forged', reason: 'unreadable' });
  });
});

describe('the canonical form', () => {
  const canonical = (text: string) => canonicalJson(Buffer.from(text));

  it.each([
    ['{"x":0.00001,"w":12345678901234567890}', '{"w":12345678901234567890,"x":1e-05}'],
    ['{"\u{1F600}":1,"\uFF5E":2}', '{"\uFF5E":2,"\u{1F600}":1}'],
    ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
    ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
    ['[90.0,3.50,-0.0,-0,0.0,1e3,1E+2,-1.5e0]', '[90,3.5,0,0,0,1000,100,-1.5]'],
    ['[0.0001,0.00012,1.5e-7,5e-324,-2.5e-10]', '[0.0001,0.00012,1.5e-07,5e-324,-2.5e-10]'],
    ['[1e22,123456789012345680000.0]', '[10000000000000000000000,123456789012345683968]'],
    ['"\\u00e9\\/\\ud83d\\ude00\\u001F\\u007f"', '"é/😀\\u001f\u007f"'],
    [' { "b" : [ ] , "a" : { } } ', '{"a":{},"b":[]}'],
    ['"\\\\\\""', '"\\\\\\""'],
  ])('of %s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['{"a":1}x'],
    ['{"a":01}'],
    ['{"a":1,}'],
    ['[1 2]'],
    ['{a:1}'],
    ["{'a':1}"],
    ['NaN'],
    ['[1e400]'],
    ['"\\ud800"'],
    ['"\\x41"'],
    ['"line\nbreak"'],
    ['"open'],
    ['+1'],
    ['.5'],
    [''],
    ['['.repeat(200) + ']'.repeat(200)],
    ['9'.repeat(5_000)],
  ])('of %.20s does not exist', (text) => {
    expect(canonical(text)).toBeUndefined();
  });

  it('does not exist for bytes that are no UTF-8', () => {
    expect(canonicalJson(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
  });
});
