import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import type { Answer } from '../support/system.js';

const system = sharedSystem();

type Json = Record<string, unknown>;

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'dora', name), 'utf8')) as T;
}

/** The vectors write names in snake_case where the API writes camelCase; values and rule labels stay as they are. */
function camelCased(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(camelCased);
  if (typeof node !== 'object' || node === null) return node;
  const key = (name: string): string =>
    name.replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [key(name), camelCased(value)]));
}

const preview = (name: string, body: unknown, scope = 'auditor'): Promise<Answer<Json>> =>
  system.admin<Json>(`/incidents/${name}:preview`, {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    scope,
  });

const errorsOf = (answer: Answer<Json>): [number, unknown, string[]] => [
  answer.status,
  answer.body['code'],
  (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer),
];

describe('POST /admin/v1/incidents/classification:preview', () => {
  const { single } = vectors<{ single: { id: string; facts: Json; expected: Json }[] }>('classification-vectors.json');

  it.each(single)('$id', async ({ facts, expected }) => {
    const answer = await preview('classification', { facts: camelCased(facts) });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject(camelCased(expected) as Json);
    expect(answer.body['engineVersion']).toEqual(expect.any(String));
    expect(answer.body['explanation']).toEqual(expect.arrayContaining([expect.objectContaining({ rule: '9(1)(a)' })]));
  });

  const entity = { home: 'ES', type: 'payment_institution' };

  it('says which unknowns could still tip the result', async () => {
    const answer = await preview('classification', { facts: { entity, critical: { cif: true } } });
    expect(answer.body).toMatchObject({ major: false, gateArt6: true });
    expect(answer.body['unknowns']).toContain('9(1)(a)');
  });

  it('refuses what is wrong with a pointer to it', async () => {
    const facts = { entity, clients: { affected: 11, usingService: 10 }, surprise: 1 };
    expect(errorsOf(await preview('classification', { facts }))).toEqual([
      400,
      'invalid-request',
      expect.arrayContaining(['/facts/clients/affected', '/facts/surprise']),
    ]);
    expect((await preview('classification', {})).status).toBe(400);
  });

  it('refuses a number that JSON cannot carry exactly, which only the raw text shows', async () => {
    const text = `{"facts":{"entity":${JSON.stringify(entity)},"costEur":100000.0000000000001}}`;
    expect(errorsOf(await preview('classification', text))).toEqual([400, 'invalid-request', ['/facts/costEur']]);
    const exact = { facts: { entity, costEur: '100000.0000000000001' } };
    expect((await preview('classification', exact)).body).toMatchObject({ criteria: { economicImpact: true } });
  });
});

describe('POST /admin/v1/incidents/recurrence:preview', () => {
  const { recurring } = vectors<{ recurring: { id: string; request: Json; expected: Json }[] }>(
    'classification-vectors.json',
  );

  it.each(recurring)('$id', async ({ request, expected }) => {
    const answer = await preview('recurrence', camelCased(request), 'incident-manager');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject(camelCased(expected) as Json);
  });

  it('refuses what is wrong with a pointer to it', async () => {
    const entity = { home: 'ES', type: 'payment_institution' };
    const incident = { id: 'a', occurredAt: 'yesterday', rootCause: 'x', facts: {} };
    expect(errorsOf(await preview('recurrence', { entity, incidents: [incident] }))).toEqual([
      400,
      'invalid-request',
      ['/incidents/0/occurredAt'],
    ]);
  });
});

describe('POST /admin/v1/incidents/deadlines:preview', () => {
  interface Vector {
    id: string;
    note: string;
    member_state: string;
    entity: string;
    excluded_from_5_4: boolean;
    limb?: string;
    base_utc: string;
    due_utc: string;
    due_local: string;
    shifted: boolean;
    [name: string]: unknown;
  }
  const file = vectors<{ holidays_2026: Record<string, string[]>; vectors: Vector[] }>('deadline-vectors.json');

  it.each(file.vectors)('$id: $note', async (vector) => {
    const instants = ['aware', 'classified', 'initial_submitted', 'last_intermediate_submitted'].map((name) => [
      camelKey(`${name}_at`),
      vector[`${name}_utc`],
    ]);
    const answer = await preview('deadlines', {
      report: vector['report'],
      memberState: vector.member_state,
      entityType: vector.entity,
      excludedFrom5_4: vector.excluded_from_5_4,
      holidays: file.holidays_2026[vector.member_state],
      ...Object.fromEntries(instants),
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ dueLocal: vector.due_local, shifted: vector.shifted });
    expect(Date.parse(String(answer.body['baseAt']))).toBe(Date.parse(vector.base_utc));
    expect(Date.parse(String(answer.body['dueAt']))).toBe(Date.parse(vector.due_utc));
    if (vector.limb !== undefined) expect(answer.body['limb']).toBe(vector.limb);
  });

  it('refuses a classification before anybody knew, and an initial report without awareness', async () => {
    const base = { report: 'initial', memberState: 'ES', entityType: 'payment_institution' };
    const early = { ...base, awareAt: '2026-03-10T08:00:00Z', classifiedAt: '2026-03-10T07:59:59Z' };
    expect(errorsOf(await preview('deadlines', early))).toEqual([400, 'invalid-request', ['/classifiedAt']]);
    expect(errorsOf(await preview('deadlines', base))).toEqual([400, 'invalid-request', ['/awareAt']]);
  });
});

describe('the previews', () => {
  it.each(['classification', 'recurrence', 'deadlines'])('%s is for those who read incidents', async (name) => {
    const refused = await preview(name, {}, 'operator');
    expect([refused.status, refused.body['code']]).toEqual([403, 'forbidden-scope']);
    const wrong = await system.admin<Json>(`/incidents/${name}:preview`, { method: 'PUT', body: {} });
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, expect.stringContaining('POST')]);
    const other = await system.admin<Json>(`/incidents/${name}:other`, { body: {} });
    expect([other.status, other.headers['allow']]).toEqual([405, 'GET, HEAD, PATCH']);
  });
});

function camelKey(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
