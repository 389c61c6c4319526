import { readFileSync } from 'node:fs';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { classify } from './classification.js';
import { computeDeadline } from './deadlines.js';
import { assessRecurrence } from './recurrence.js';
import { classificationRequestSchema, deadlineRequestSchema, recurrenceRequestSchema } from './schemas.js';

const directory = new URL('../../../test/vectors/dora/', import.meta.url);

function vectorFile(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, directory), 'utf8'));
}

/** The vectors write names in snake_case where the API writes camelCase; values and rule labels stay as they are. */
function camelCased(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(camelCased);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]: [string, unknown]) => [camelKey(key), camelCased(value)]),
  );
}

/** Keys such as `others_only/purposive` name readings, whose values keep their underscores. */
function camelKey(key: string): string {
  return key.includes('/') ? key : key.replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

const singleCase = z.looseObject({
  id: z.string(),
  description: z.string(),
  facts: z.unknown(),
  expected: z.looseObject({}),
  expectedUnderOtherReadings: z.record(z.string(), z.looseObject({})).optional(),
});
const recurringCase = z.looseObject({ id: z.string(), request: z.unknown(), expected: z.looseObject({}) });
const classificationFile = z.looseObject({ single: z.array(singleCase), recurring: z.array(recurringCase) });

describe('classification vectors', () => {
  const { single, recurring } = classificationFile.parse(camelCased(vectorFile('classification-vectors.json')));

  it.each(single)('$id: $description', ({ facts, expected }) => {
    const request = classificationRequestSchema.parse({ facts });
    expect(classify(request.facts, request.readings)).toMatchObject(expected);
    expect(classify(request.facts).sub).toEqual(expected.sub);
  });

  it.each(single.filter((vector) => vector.expectedUnderOtherReadings !== undefined))(
    '$id under other readings',
    ({ facts, expectedUnderOtherReadings }) => {
      for (const [names, expected] of Object.entries(expectedUnderOtherReadings ?? {})) {
        const [geoRule, nine5b] = names.split('/');
        const request = classificationRequestSchema.parse({ facts, readings: { geoRule, nine5b } });
        expect(classify(request.facts, request.readings)).toMatchObject(expected);
      }
    },
  );

  it.each(recurring)('$id', ({ request, expected }) => {
    expect(assessRecurrence(recurrenceRequestSchema.parse(request))).toMatchObject(expected);
  });
});

const deadlineCase = z.looseObject({
  id: z.string(),
  note: z.string(),
  report: z.string(),
  member_state: z.string(),
  entity: z.string(),
  excluded_from_5_4: z.boolean(),
  aware_utc: z.string().optional(),
  classified_utc: z.string().optional(),
  initial_submitted_utc: z.string().optional(),
  last_intermediate_submitted_utc: z.string().optional(),
  limb: z.string().optional(),
  base_utc: z.string(),
  due_utc: z.string(),
  due_local: z.string(),
  shifted: z.boolean(),
});
const deadlineFile = z.looseObject({
  holidays_2026: z.record(z.string(), z.array(z.string())),
  vectors: z.array(deadlineCase),
});

describe('deadline vectors', () => {
  const { holidays_2026: holidays, vectors } = deadlineFile.parse(vectorFile('deadline-vectors.json'));

  const requestOf = (vector: z.infer<typeof deadlineCase>, given?: readonly string[]) =>
    deadlineRequestSchema.parse({
      report: vector.report,
      memberState: vector.member_state,
      entityType: vector.entity,
      excludedFrom5_4: vector.excluded_from_5_4,
      awareAt: vector.aware_utc,
      classifiedAt: vector.classified_utc,
      initialSubmittedAt: vector.initial_submitted_utc,
      lastIntermediateSubmittedAt: vector.last_intermediate_submitted_utc,
      holidays: given,
    });

  it.each(vectors)('$id: $note', (vector) => {
    const deadline = computeDeadline(requestOf(vector, holidays[vector.member_state]));
    expect(deadline).toMatchObject({ dueLocal: vector.due_local, shifted: vector.shifted });
    expect(Temporal.Instant.compare(deadline.baseAt ?? '', vector.base_utc)).toBe(0);
    expect(Temporal.Instant.compare(deadline.dueAt ?? '', vector.due_utc)).toBe(0);
    if (vector.limb !== undefined) expect(deadline.limb).toBe(vector.limb);
  });

  it.each(vectors)('$id by the shipped calendar', (vector) => {
    expect(computeDeadline(requestOf(vector)).dueLocal).toBe(vector.due_local);
  });
});
