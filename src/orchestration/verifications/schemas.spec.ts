import { describe, expect, it } from 'vitest';
import { createSchema, listSchema } from './schemas.js';

const least = { workflow: 'onboarding', subject: { reference: 'cust-42', relationship: 'customer' } };

function pathsOf(body: unknown): string[] {
  const parsed = createSchema.safeParse(body);
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('/'));
}

describe('createSchema', () => {
  it.each([
    least,
    { ...least, subject: { reference: 'Ñandú 7/ß-王', relationship: 'unknown' } },
    { ...least, callback: 'https://bank.example/done?x=1', language: 'pt-BR' },
    { ...least, metadata: { a: [1, { b: null }], c: 'ok' } },
    { ...least, expected: { firstName: 'Zoë', gender: null, address: 'Calle 1', country: 'ESP' } },
  ])('takes %j', (body) => {
    expect(pathsOf(body)).toEqual([]);
  });

  it.each([
    [{ ...least, workflow: 'Other' }, 'workflow'],
    [{ ...least, subject: { reference: '', relationship: 'customer' } }, 'subject/reference'],
    [{ ...least, subject: { reference: 'x'.repeat(129), relationship: 'customer' } }, 'subject/reference'],
    [{ ...least, subject: { reference: 'a\nb', relationship: 'customer' } }, 'subject/reference'],
    [{ ...least, subject: { reference: 'a\ud800', relationship: 'customer' } }, 'subject/reference'],
    [{ ...least, subject: { reference: 'a', relationship: 'friend' } }, 'subject/relationship'],
    [{ ...least, callback: 'http://bank.example' }, 'callback'],
    [{ ...least, callback: 'https://user:secret@bank.example' }, 'callback'],
    [{ ...least, callback: 'javascript:alert(1)' }, 'callback'],
    [{ ...least, callback: 'bank' }, 'callback'],
    [{ ...least, language: 'Spanish' }, 'language'],
    [{ ...least, metadata: { a: 'x'.repeat(4_096) } }, 'metadata'],
    [{ ...least, metadata: [1] }, 'metadata'],
    [{ ...least, expected: { address: 'Calle 1' } }, 'expected/address'],
    [{ ...least, expected: { dateOfBirth: '1984-02-30' } }, 'expected/dateOfBirth'],
    [{ ...least, expected: { first_name: 'x' } }, 'expected'],
    [{ ...least, more: true }, ''],
  ])('refuses %j', (body, path) => {
    expect(pathsOf(body)).toEqual([path]);
  });
});

describe('listSchema', () => {
  it('has its defaults', () => {
    expect(listSchema.parse({})).toEqual({ limit: 50 });
  });

  it('reads instants with any offset', () => {
    const { createdFrom } = listSchema.parse({ createdFrom: '2026-03-10T09:00:00+01:00' });
    expect(createdFrom?.toISOString()).toBe('2026-03-10T08:00:00.000Z');
  });

  it.each([
    { limit: '0' },
    { limit: '101' },
    { limit: 'all' },
    { status: 'Approved' },
    { createdFrom: 'yesterday' },
    { cursor: '' },
    { nonsense: '1' },
  ])('refuses %j', (query) => {
    expect(listSchema.safeParse(query).success).toBe(false);
  });
});
