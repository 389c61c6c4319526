import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../platform/index.js';
import { canonicalJson } from './canonical-json.js';
import { judgeWebhook } from './webhook-signature.js';

const SECRET = 'property_secret_000000000000000000000000000';
const SENT = 1_774_970_000;
const hmac = (message: string | Buffer) => createHmac('sha256', SECRET).update(message).digest('hex');
const judge = (raw: Buffer, headers: object) =>
  judgeWebhook(raw, { timestamp: String(SENT), ...headers }, [new Secret(SECRET)], SENT * 1_000);

const text = fc.string({ unit: 'binary' });
const number = fc.oneof(
  fc.maxSafeInteger(),
  // Hundredths up to a million print alike in every language.
  fc.integer({ min: -100_000_000, max: 100_000_000 }).map((n) => n / 100),
);
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
})).value;

const event = fc
  .record({ metadata: json, status: text, decision: json })
  .map((members) => ({ ...members, timestamp: SENT, session_id: 's', webhook_type: 'status.updated' }));

/** The canonical form of a value, written as the rule reads: members sorted by code points, no blanks, no escapes. */
function oracle(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oracle).join(',')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '0' : JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => ({
    points: Array.from(name, codePoint),
    name,
    member,
  }));
  members.sort((a, b) => comparePoints(a.points, b.points));
  return `{${members.map(({ name, member }) => `${JSON.stringify(name)}:${oracle(member)}`).join(',')}}`;
}

const codePoint = (character: string) => character.codePointAt(0) ?? 0;

function comparePoints(a: number[], b: number[]): number {
  const at = a.findIndex((point, index) => point !== b[index]);
  if (at === -1) return a.length - b.length;
  return (a[at] ?? 0) - (b[at] ?? -1);
}

/** Every character but ASCII's printable ones as an escape, which says the same in other bytes. */
const escaped = (body: string) =>
  body.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`);

describe('the canonical form', () => {
  it('is the oracle’s, however the same body is written', () => {
    fc.assert(
      fc.property(json, fc.constantFrom('', ' ', '\t'), (value, indent) => {
        const expected = oracle(value);
        expect(canonicalJson(Buffer.from(JSON.stringify(value, null, indent)))).toBe(expected);
        expect(canonicalJson(Buffer.from(escaped(JSON.stringify(value))))).toBe(expected);
        expect(canonicalJson(Buffer.from(expected))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('exists for exactly what JSON.parse reads, but for what no signer can have written', () => {
    const nearly = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from('{}[]":,0123456789.-+eE\\untrfalse \n')) }),
      json.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(nearly, (body) => {
        let parsed: unknown;
        try {
          parsed = JSON.parse(body);
        } catch {
          parsed = undefined;
        }
        const found = canonicalJson(Buffer.from(body));
        if (parsed === undefined) expect(found).toBeUndefined();
        else if (found !== undefined) expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify(parsed)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a verdict', () => {
  it('is not trust when any byte has changed', () => {
    fc.assert(
      fc.property(event, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, where, change) => {
        const raw = Buffer.from(JSON.stringify(body));
        const signature = hmac(raw);
        expect(judge(raw, { signature }).kind).toBe('trusted');
        const changed = Buffer.from(raw);
        const at = where % raw.length;
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(judge(changed, { signature }).kind).toBe('forged');
      }),
    );
  });

  it('by V2 is trust only in the same content', () => {
    fc.assert(
      fc.property(event, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, where, change) => {
        const raw = Buffer.from(JSON.stringify(body));
        const signatureV2 = hmac(canonicalJson(raw) ?? '');
        expect(judge(raw, { signatureV2 }).kind).toBe('trusted');
        const changed = Buffer.from(raw);
        const at = where % raw.length;
        changed[at] = (changed[at] ?? 0) ^ change;
        const verdict = judge(changed, { signatureV2 });
        if (verdict.kind === 'trusted') expect(oracle(verdict.event)).toBe(oracle(JSON.parse(raw.toString())));
      }),
    );
  });

  it('is not trust under another signature, and is found for any bytes and headers at all', () => {
    const header = fc.option(fc.string(), { nil: undefined });
    const anything = fc.record({ timestamp: header, signature: header, signatureV2: header, signatureSimple: header });
    const bytes = fc.oneof(
      fc.uint8Array().map((array) => Buffer.from(array)),
      json.map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(bytes, anything, (raw, headers) => {
        expect(judge(raw, headers).kind).toBe('forged');
      }),
      { numRuns: 500 },
    );
  });

  it('comes for bodies that are nested without end', () => {
    for (const open of ['[', '{"a":', '[{"a":']) {
      const raw = Buffer.from(open.repeat(100_000));
      expect(judge(raw, { signature: hmac(raw), signatureV2: 'x' })).toEqual({ kind: 'forged', reason: 'unreadable' });
    }
    const closed = Buffer.from(`{"timestamp":${SENT},"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    expect(judge(closed, { signatureV2: 'x' })).toEqual({ kind: 'forged', reason: 'no-match' });
    expect(judge(closed, { signature: hmac(closed) }).kind).toBe('trusted');
  });
});
