import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aRecord } from '../../../test/support/audit.js';
import { recordBytes, type StoredRecord } from '../record.js';
import { leafHash } from '../tree/merkle.js';
import { BATCH_SIGNATURE, readCef, recordCef, statementCef, writeCef } from './cef.js';

const FRAME = { origin: 'gatehouse.local/log', instance: 'spec' };
/** Texts of what breaks formats. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '|',
        '=',
        '\\',
        '\n',
        '\r',
        ' ',
        'cs1=',
        ' act=allow',
        'CEF:0|',
        '\u2028',
        '\u0085',
        '\\n',
        '"',
        'é',
      ),
    )
    .map((parts) => parts.join('')),
);

/** Bars that no backslash escapes. */
const openBars = (line: string): number => (line.replaceAll(/\\./g, '').match(/\|/g) ?? []).length;

describe('an event of CEF', () => {
  it('is one line that reads back as it was written, whatever its values hold', () => {
    fc.assert(
      fc.property(nasty, nasty, fc.array(nasty, { maxLength: 6 }), (signature, name, values) => {
        const extension = new Map(values.map((text, n) => [`cs${n}`, text]));
        const line = writeCef({ signature, name, severity: 5, extension });
        expect(line).not.toMatch(/[\n\r]/);
        expect(openBars(line.slice(0, line.indexOf('|5|') + 3))).toBe(7);
        const read = readCef(line);
        expect(read?.extension).toEqual(extension);
        expect(read?.name.includes('\n')).toBe(false);
      }),
    );
  });

  it('gives a record’s own bytes back, and no member that a caller’s words could forge', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, fc.nat(1_000_000), (agent, route, reason, seq) => {
        const record = aRecord({
          http: { method: 'GET', route, status: 200, agent, address: '192.0.2.1' },
          decision: { id: 'd', outcome: 'deny', rule: 'agent.denied', reason },
        });
        const bytes = recordBytes(record, FRAME);
        const line = recordCef(seq, JSON.parse(bytes.toString()) as StoredRecord, bytes, FRAME.origin);
        expect(line).not.toMatch(/[\n\r]/);
        const read = readCef(line);
        expect(read?.signature).toBe('call');
        expect(read?.extension.get('rawEvent')).toBe(bytes.toString());
        expect(read?.extension.get('cn1')).toBe(String(seq));
        expect(read?.extension.get('cs1')).toBe(leafHash(bytes).toString('hex'));
        expect(read?.extension.get('externalId')).toBe(record.id);
        expect(read?.extension.get('act')).toBe('deny');
      }),
    );
  });
});

describe('the statement of a batch', () => {
  it('reads back', () => {
    const statement = {
      first: 0,
      past: 3,
      checkpoint: 'o\n3\nAA==\n\n— o BB==\n',
      left: [],
      right: [leafHash(Buffer.of(1))],
    };
    const read = readCef(statementCef(statement, 'o', new Date(0)));
    expect(read?.signature).toBe(BATCH_SIGNATURE);
    expect(JSON.parse(read?.extension.get('cs1') ?? '')).toMatchObject({
      first: 0,
      past: 3,
      checkpoint: statement.checkpoint,
    });
  });
});

describe('what others wrote', () => {
  it('is none of ours', () => {
    expect(readCef('CEF:0|Security|threatmanager|1.0|100|worm stopped|10|src=10.0.0.1')).toBeUndefined();
    expect(readCef('hello')).toBeUndefined();
  });
});
