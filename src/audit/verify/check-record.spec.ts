import { describe, expect, it } from 'vitest';
import { checkBeside, type Members, PROJECTED } from './check-record.js';

const RECORD: Members = {
  id: '0190a7b2-1111-7000-8000-000000000001',
  at: '2026-11-23T05:27:49.120Z',
  kind: 'call',
  actor: 'quote " backslash \\ unit \u001f del \u007f line \u2028 \u{1f600}',
  subject: '',
  http: { route: '/v1/verifications', status: 200, durationUs: 4_200 },
};

/** As Postgres prints them. */
const COLUMNS: readonly (string | null)[] = [
  '0190a7b2-1111-7000-8000-000000000001',
  '2026-11-23 05:27:49.12+00',
  'call',
  null,
  null,
  null,
  null,
  'quote " backslash \\ unit \u001f del \u007f line \u2028 \u{1f600}',
  null,
  '',
  '/v1/verifications',
  '200',
  '4200',
  null,
  null,
  null,
  null,
  null,
  null,
];

const beside = (columns: readonly (string | null)[]): string => JSON.stringify(columns);

describe('columns beside a record', () => {
  it('hold when they follow from it, however their array is written', () => {
    expect(COLUMNS).toHaveLength(PROJECTED.length + 1);
    expect(checkBeside(RECORD, beside(COLUMNS))).toBeUndefined();
    expect(checkBeside(RECORD, JSON.stringify(COLUMNS, null, 1))).toBeUndefined();
    expect(checkBeside(RECORD, beside(COLUMNS).replace('\\u001f', '\\u001F'))).toBeUndefined();
  });

  it.each(PROJECTED.map((name, at) => ({ name, at: at + 1 })))('$name is named when it is another', ({ name, at }) => {
    const another = COLUMNS[at] === null ? ['', 'x', '0'] : [null, `${COLUMNS[at] ?? ''}x`];
    for (const value of another)
      expect(checkBeside(RECORD, beside(COLUMNS.with(at, value)))).toBe(
        `its column ${name} does not follow from its bytes`,
      );
  });

  it('two texts that run together as one are told apart', () => {
    expect(checkBeside({ ...RECORD, actor: 'a","b' }, beside(COLUMNS.with(7, 'a').with(8, 'b')))).toContain('actor');
  });

  it.each([null, '0190a7b2-1111-7000-8000-000000000002'])('the id %s is another', (id) => {
    expect(checkBeside(RECORD, beside(COLUMNS.with(0, id)))).toBe('its id is not the one in its bytes');
  });

  it('no id is no match for none', () => {
    const { id: _, ...without } = RECORD;
    expect(checkBeside(without, beside(COLUMNS.with(0, null)))).toBe('its id is not the one in its bytes');
  });

  it('a member of another type is told', () => {
    expect(checkBeside({ ...RECORD, actor: 7 }, beside(COLUMNS))).toBe('a member has not the type that it should have');
  });
});
