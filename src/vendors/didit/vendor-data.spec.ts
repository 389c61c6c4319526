import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientTag, namespaced, restored, withOwnVendorData } from './vendor-data.js';

const BANK = clientTag('0193e1a0-0000-7000-8000-000000000001');
const OTHER = clientTag('0193e1a0-0000-7000-8000-000000000002');

describe('a client’s tag', () => {
  it('is short, fit for an address, and one client’s alone', () => {
    expect(BANK).toMatch(/^[\w-]{22}$/);
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (a, b) => {
        expect(clientTag(a) === clientTag(b)).toBe(a === b);
      }),
    );
    expect(() => clientTag('bank')).toThrow('UUID');
  });
});

describe('vendor_data', () => {
  it('comes back as the client wrote it', () => {
    expect(namespaced(BANK, 'cust-42', 'u')).toBe(`${BANK}:cust-42`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string(), (written, unique) => {
        expect(restored(BANK, namespaced(BANK, written, unique))).toBe(written);
        expect(restored(OTHER, namespaced(BANK, written, unique))).toBeUndefined();
      }),
    );
  });

  it('of two clients, or of two texts, is never the same at Didit', () => {
    const client = fc.constantFrom(BANK, OTHER);
    const written = fc.oneof(fc.string(), fc.constantFrom(null, undefined, `${BANK}:x`, `${OTHER}:x`, ':', '.'));
    fc.assert(
      fc.property(client, client, written, written, (a, b, x, y) => {
        const [left, right] = [namespaced(a, x, 'u-1'), namespaced(b, y, 'u-2')];
        if (left === right) expect([a, x]).toEqual([b, y]);
      }),
    );
  });

  it('that was never written is made up anew each time and comes back as null', () => {
    for (const nothing of [undefined, null, '']) {
      const [first, second] = [namespaced(BANK, nothing, randomUUID()), namespaced(BANK, nothing, randomUUID())];
      expect(first).not.toBe(second);
      expect(restored(BANK, first)).toBeNull();
      expect(restored(OTHER, first)).toBeUndefined();
    }
  });

  it.each(['', 'cust-42', BANK, `${BANK}cust`, `x${BANK}:cust`, null, undefined, 7, {}])(
    '%j is nobody’s',
    (vendorData) => {
      expect(restored(BANK, vendorData)).toBeUndefined();
      expect(restored('', vendorData)).toBeUndefined();
    },
  );
});

describe('a body with vendor_data', () => {
  const own = namespaced(BANK, 'cust-42', 'u');
  const foreign = namespaced(OTHER, 'cust-7', 'u');

  it('shows the client’s own as it wrote it and nobody else’s', () => {
    const body = { vendor_data: own, results: [{ vendor_data: own, n: 1 }, { vendor_data: foreign }], x: null };
    expect(withOwnVendorData(BANK, body)).toEqual({
      vendor_data: 'cust-42',
      results: [{ vendor_data: 'cust-42', n: 1 }, { vendor_data: null }],
      x: null,
    });
    expect(body.vendor_data).toBe(own);
    expect(withOwnVendorData(BANK, { vendor_data: namespaced(BANK, null, 'u') })).toEqual({ vendor_data: null });
  });

  it('leaves out matches with sessions of others', () => {
    const matches = [
      { session_id: '1', vendor_data: own, inner: { vendor_data: own } },
      { session_id: '2', vendor_data: foreign },
      { session_id: '3', vendor_data: null },
      'odd',
    ];
    expect(withOwnVendorData(BANK, { liveness_checks: [{ matches }, { matches: null }] })).toEqual({
      liveness_checks: [
        { matches: [{ session_id: '1', vendor_data: 'cust-42', inner: { vendor_data: 'cust-42' } }] },
        { matches: null },
      ],
    });
  });

  it('leaves the client’s own words alone, and what is no body', () => {
    const metadata = { vendor_data: 'mine', matches: ['x'] };
    expect(withOwnVendorData(BANK, { metadata })).toEqual({ metadata });
    expect(withOwnVendorData(BANK, 'text')).toBe('text');
    expect(withOwnVendorData(BANK, undefined)).toBeUndefined();
  });
});
