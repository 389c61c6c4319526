import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aRecord } from '../../test/support/audit.js';
import { bodyDigest, BodyDigests } from './body-digest.js';
import { canonical } from './canonical.js';
import { MOST_RECORD_BYTES, recordBytes, type StoredRecord } from './record.js';

const frame = { origin: 'gatehouse.example/log', instance: 'gw-1' };
const read = (bytes: Buffer): StoredRecord => JSON.parse(bytes.toString('utf8')) as StoredRecord;

describe('recordBytes', () => {
  it('is the canonical form of the record within its frame', () => {
    const record = aRecord({ detail: { b: 1, a: [true, null] } });
    const bytes = recordBytes(record, frame);
    expect(bytes.toString('utf8')).toBe(canonical({ ...record, ...frame, v: 1 }));
    expect(read(bytes)).toMatchObject({ v: 1, ...frame, id: record.id, detail: { a: [true, null], b: 1 } });
  });

  it('leaves out what is not there', () => {
    const { id } = aRecord();
    const bytes = recordBytes({ id, at: '2026-03-10T08:00:00.000Z', kind: 'gateway.started' }, frame);
    expect(Object.keys(read(bytes))).toEqual(['at', 'id', 'instance', 'kind', 'origin', 'v']);
  });

  it.each([
    ['an id that is none', { id: 'x' }],
    ['an id in capitals', { id: aRecord().id.toUpperCase() }],
    ['an instant without milliseconds', { at: '2026-03-10T08:00:00Z' }],
    ['an instant in another zone', { at: '2026-03-10T08:00:00.000+01:00' }],
    ['an instant that never was', { at: '2026-13-10T08:00:00.000Z' }],
    ['a day that never was', { at: '2026-02-30T08:00:00.000Z' }],
  ])('refuses %s', (_what, over) => {
    expect(() => recordBytes(aRecord(over), frame)).toThrow(TypeError);
  });

  it('refuses a float rather than writing a record that others print otherwise', () => {
    expect(() => recordBytes(aRecord({ detail: { share: 0.5 } }), frame)).toThrow(TypeError);
  });

  it('cuts texts to the bounds of their columns', () => {
    const long = 'x'.repeat(5_000);
    const record = read(
      recordBytes(
        aRecord({ client: long, subject: long, decision: { id: long, outcome: 'deny', rule: long, reason: long } }),
        frame,
      ),
    );
    expect(record.client).toHaveLength(256);
    expect(record.subject).toHaveLength(256);
    expect(record.decision).toMatchObject({ id: 'x'.repeat(64), rule: 'x'.repeat(256), reason: 'x'.repeat(1024) });
  });

  it('stays whole where a cut would halve a character', () => {
    const record = read(recordBytes(aRecord({ client: `${'x'.repeat(255)}🦊` }), frame));
    expect(record.client).toBe(`${'x'.repeat(255)}\ufffd`);
  });

  it.each([
    ['long texts', { note: 'é'.repeat(60_000), deep: { list: ['x'.repeat(60_000)] } }],
    ['many members', Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`name ${n}`, n]))],
    ['many items', { list: Array.from({ length: 40_000 }, (_, n) => n) }],
  ])('is never too large to be written, whatever the detail: %s', (_what, detail) => {
    const bytes = recordBytes(aRecord({ detail }), frame);
    expect(bytes.length).toBeLessThanOrEqual(MOST_RECORD_BYTES);
    expect(read(bytes).http?.route).toBe('/v1/verifications/:id');
  });

  it('marks a record that had to give its detail up', () => {
    const detail = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, n) => [`${n}${'x'.repeat(40)}`, 'y'.repeat(40)]),
    );
    const lists = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`list ${n}`, Object.values(detail)]));
    expect(read(recordBytes(aRecord({ detail: lists }), frame)).detail).toEqual({ truncated: true });
  });
});

describe('body digests', () => {
  it('are HMAC-SHA-256 under one key a record, apart for request and answer', () => {
    const digests = new BodyDigests();
    const body = '{"name":"José"}';
    const [request, response] = [digests.of('request', body), digests.of('response', Buffer.from(body))];
    const key = digests.key ?? Buffer.alloc(0);
    const expected = (part: string): string =>
      `hmac-sha256:${createHmac('sha256', key).update(`${part}\n`).update(body).digest('hex')}`;
    expect(key).toHaveLength(16);
    expect(request).toBe(expected('request'));
    expect(response).toBe(expected('response'));
    expect(bodyDigest(key, 'request', body)).toBe(request);
  });

  it('take no key where there is no body', () => {
    const digests = new BodyDigests();
    expect(digests.of('request', undefined)).toBeUndefined();
    expect(digests.of('response', '')).toBeUndefined();
    expect(digests.key).toBeUndefined();
  });

  it('differ from record to record for the same body', () => {
    const seen = new Set(Array.from({ length: 600 }, () => new BodyDigests().of('request', 'same')));
    expect(seen.size).toBe(600);
  });
});
