import { describe, expect, it } from 'vitest';
import {
  classificationRequestSchema,
  deadlineRequestSchema,
  factsSchema,
  plainFacts,
  recurrenceRequestSchema,
  ticketFactsSchema,
} from './schemas.js';

const ENTITY = { home: 'ES', type: 'payment_institution' } as const;

function pointersOf(result: {
  success: boolean;
  error?: { issues: readonly { path: readonly PropertyKey[] }[] } | undefined;
}) {
  return (result.error?.issues ?? []).map(({ path }) => path.map((step) => `/${String(step)}`).join(''));
}

describe('the classification request', () => {
  const parse = (facts: object, readings?: unknown) =>
    classificationRequestSchema.safeParse({ facts: { entity: ENTITY, ...facts }, readings });

  it.each([
    [{}],
    [{ critical: null, clients: null, data: null, memberStates: null, costEur: null, ictRelatedIncident: null }],
    [{ critical: {}, clients: { affected: null }, data: { impact: null } }],
    [{ clients: { affected: 10, usingService: 10 }, counterparts: { affected: 5, total: 0 } }],
    [{ transactions: { affected: 9000, dailyAvgNumber: 5000, affectedValue: '2.5', dailyAvgValue: 1.25 } }],
    [{ costEur: `100000.${'0'.repeat(60)}1` }],
    [{ memberStates: ['ES', 'ES', 'IS', 'LI', 'NO'] }],
  ])('takes %j', (facts) => {
    expect(pointersOf(parse(facts))).toEqual([]);
  });

  it.each([
    [{ unheard: 1 }, ['/facts']],
    [{ clients: { unheard: 1 } }, ['/facts/clients']],
    [{ entity: { ...ENTITY, lei: 'x' } }, ['/facts/entity']],
    [{ entity: { home: 'UK', type: 'payment_institution' } }, ['/facts/entity/home']],
    [{ entity: { home: 'ES', type: 'bank' } }, ['/facts/entity/type']],
    [{ entity: null }, ['/facts/entity']],
    [{ clients: { affected: 11, usingService: 10 } }, ['/facts/clients/affected']],
    [{ counterparts: { affected: 11, total: 10 } }, ['/facts/counterparts/affected']],
    [{ clients: { affected: -1 } }, ['/facts/clients/affected']],
    [{ clients: { affected: 1.5 } }, ['/facts/clients/affected']],
    [{ clients: { affected: '1' } }, ['/facts/clients/affected']],
    [{ clients: { affected: 2 ** 53 } }, ['/facts/clients/affected']],
    [{ time: { durationS: -1, downtimeS: 0.5 } }, ['/facts/time/durationS', '/facts/time/downtimeS']],
    [{ critical: { cif: 'yes' } }, ['/facts/critical/cif']],
    [{ costEur: '-1' }, ['/facts/costEur']],
    [{ costEur: -1 }, ['/facts/costEur']],
    [{ costEur: '1e5' }, ['/facts/costEur']],
    [{ costEur: '1,5' }, ['/facts/costEur']],
    [{ costEur: '1'.repeat(200) }, ['/facts/costEur']],
    [{ costEur: Number.POSITIVE_INFINITY }, ['/facts/costEur']],
    [{ memberStates: ['ES', 'EL'] }, ['/facts/memberStates/1']],
    [{ memberStates: ['es'] }, ['/facts/memberStates/0']],
    [{ memberStates: 'ES' }, ['/facts/memberStates']],
    [{ data: { impact: ['loss'] } }, ['/facts/data/impact/0']],
  ])('refuses %j', (facts, pointers) => {
    expect(pointersOf(parse(facts))).toEqual(pointers);
  });

  it('needs facts and known readings', () => {
    expect(pointersOf(classificationRequestSchema.safeParse({}))).toEqual(['/facts']);
    expect(pointersOf(classificationRequestSchema.safeParse({ facts: {} }))).toEqual(['/facts/entity']);
    expect(pointersOf(parse({}, { geoRule: 'mine' }))).toEqual(['/readings/geoRule']);
    expect(pointersOf(parse({}, { other: 1 }))).toEqual(['/readings']);
    expect(pointersOf(parse({}, { geoRule: 'others_only' }))).toEqual([]);
    expect(pointersOf(parse({}, null))).toEqual([]);
  });
});

describe('the recurrence request', () => {
  const incident = {
    id: 'I1',
    occurredAt: '2026-01-01T00:00:00Z',
    detectedAt: '2026-01-01T00:00:00Z',
    rootCause: 'x',
    facts: {},
  };
  const parse = (...incidents: object[]) => recurrenceRequestSchema.safeParse({ entity: ENTITY, incidents });

  it('takes facts with and without their entity', () => {
    expect(pointersOf(parse(incident, { ...incident, id: 'I2', facts: { entity: ENTITY } }))).toEqual([]);
  });

  it.each([
    [[{ ...incident, occurredAt: '2026-01-01T00:00:00' }], ['/incidents/0/occurredAt']],
    [[{ ...incident, rootCause: '  ' }], ['/incidents/0/rootCause']],
    [[incident, incident], ['/incidents/1/id']],
    [[{ ...incident, facts: { clients: { affected: 2, usingService: 1 } } }], ['/incidents/0/facts/clients/affected']],
    [[{ ...incident, unheard: 1 }], ['/incidents/0']],
  ])('refuses %j', (incidents, pointers) => {
    expect(pointersOf(parse(...incidents))).toEqual(pointers);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 501 }, (_, index) => ({ ...incident, id: String(index) }));
    expect(pointersOf(parse(...many))).toEqual(['/incidents']);
  });
});

describe('the deadline request', () => {
  const common = { memberState: 'ES', entityType: 'payment_institution' };
  const parse = (request: object) => deadlineRequestSchema.safeParse({ ...common, ...request });

  it.each([
    [{ report: 'initial', awareAt: '2026-01-01T00:00:00Z' }],
    [{ report: 'initial', awareAt: '2026-01-01T01:00:00+01:00', classifiedAt: '2026-01-01T00:00:00Z' }],
    [{ report: 'initial', awareAt: '2026-01-01T00:00+01:00', systemicNotice: null, holidays: null }],
    [{ report: 'intermediate', initialSubmittedAt: '2026-01-01T00:00:00.5Z', awareAt: null }],
    [{ report: 'updated-intermediate' }],
    [{ report: 'final', entityType: 'any', lastIntermediateSubmittedAt: '2026-01-01T00:00:00Z' }],
  ])('takes %j', (request) => {
    expect(pointersOf(parse(request))).toEqual([]);
  });

  it.each([
    [{ report: 'initial' }, ['/awareAt']],
    [{ report: 'initial', classifiedAt: '2026-01-01T00:00:00Z' }, ['/awareAt']],
    [{ report: 'initial', awareAt: '2026-01-02T00:00:00Z', classifiedAt: '2026-01-01T00:00:00Z' }, ['/classifiedAt']],
    [{ report: 'initial', awareAt: '2026-01-01T00:00:00' }, ['/awareAt']],
    [{ report: 'initial', awareAt: '2026-02-30T00:00:00Z' }, ['/awareAt']],
    [{ report: 'initial', awareAt: '2026-01-01T24:30:00Z' }, ['/awareAt']],
    [{ report: 'initial', awareAt: '2026-01-01' }, ['/awareAt']],
    [{ report: 'initial', awareAt: '2026-01-01T00:00:00+01:00[Europe/Madrid]' }, ['/awareAt']],
    [{ report: 'initial', awareAt: 1_767_225_600 }, ['/awareAt']],
    [{ report: 'intermediate', awareAt: '2026-01-01T00:00:00Z' }, ['/initialSubmittedAt']],
    [{ report: 'final' }, ['/lastIntermediateSubmittedAt']],
    [{ report: 'intermediate', entityType: 'any', initialSubmittedAt: '2026-01-01T00:00:00Z' }, ['/entityType']],
    [{ report: 'final', entityType: 'bank', lastIntermediateSubmittedAt: '2026-01-01T00:00:00Z' }, ['/entityType']],
    [{ report: 'threat' }, ['/report']],
    [{ report: 'updated-intermediate', memberState: 'CH' }, ['/memberState']],
    [{ report: 'updated-intermediate', unheard: 1 }, ['']],
    [{ report: 'updated-intermediate', holidays: ['2026-02-29'] }, ['/holidays/0']],
    [{ report: 'updated-intermediate', holidays: ['1 May'] }, ['/holidays/0']],
  ])('refuses %j', (request, pointers) => {
    expect(pointersOf(parse(request))).toEqual(pointers);
  });
});

describe('the facts of a ticket', () => {
  const sent = {
    entity: { home: 'FR', type: 'credit_institution' },
    critical: { cif: true },
    clients: {
      affected: { value: 5, provenance: 'measured', method: 'distinct subjects' },
      usingService: 100,
      relevantAffected: null,
    },
    data: { impact: { value: ['integrity'], provenance: 'estimated' } },
    memberStates: ['ES', 'FR'],
    costEur: '12.50',
    time: null,
  };

  it('wraps every value, a plain one as entered, and leaves the entity to the settings', () => {
    expect(ticketFactsSchema.parse(sent)).toEqual({
      critical: { cif: { value: true, provenance: 'entered' } },
      clients: {
        affected: { value: 5, provenance: 'measured', method: 'distinct subjects' },
        usingService: { value: 100, provenance: 'entered' },
        relevantAffected: null,
      },
      data: { impact: { value: ['integrity'], provenance: 'estimated' } },
      memberStates: { value: ['ES', 'FR'], provenance: 'entered' },
      costEur: { value: '12.50', provenance: 'entered' },
      time: null,
    });
  });

  it('parses what is stored into the same', () => {
    const stored = ticketFactsSchema.parse(sent);
    expect(ticketFactsSchema.parse(stored)).toEqual(stored);
  });

  it('gives the engine plain facts with the entity of the settings', () => {
    expect(plainFacts(ticketFactsSchema.parse(sent), ENTITY)).toEqual({
      entity: ENTITY,
      critical: { cif: true },
      clients: { affected: 5, usingService: 100, relevantAffected: null },
      data: { impact: ['integrity'] },
      memberStates: ['ES', 'FR'],
      costEur: '12.50',
      time: null,
    });
  });

  it.each([
    [{ clients: { affected: 11, usingService: { value: 10, provenance: 'measured' } } }, ['/clients/affected']],
    [{ clients: { affected: { value: -1, provenance: 'measured' } } }, ['/clients/affected/value']],
    [{ clients: { affected: { value: 1 } } }, ['/clients/affected']],
    [{ clients: { affected: { value: 1, provenance: 'guessed' } } }, ['/clients/affected']],
    [{ clients: { affected: { value: 1, provenance: 'measured', extra: 1 } } }, ['/clients/affected']],
    [{ clients: { value: 1, provenance: 'measured' } }, ['/clients']],
    [{ unheard: 1 }, ['']],
  ])('refuses %j', (facts, pointers) => {
    expect(pointersOf(ticketFactsSchema.safeParse(facts))).toEqual(pointers);
  });

  it('know the same values as the facts of a preview', () => {
    const { shape } = factsSchema;
    const plain = Object.fromEntries(
      Object.entries(shape).map(([name, schema]) => {
        const inner: unknown = schema.type === 'optional' ? schema.unwrap().unwrap() : schema;
        return [
          name,
          typeof inner === 'object' && inner !== null && 'shape' in inner
            ? Object.keys(inner.shape ?? {}).sort()
            : 'value',
        ];
      }),
    );
    const ticket = Object.fromEntries(
      Object.entries(ticketFactsSchema.in.shape).map(([name, schema]) => {
        const inner: unknown = schema.unwrap().unwrap();
        return [
          name,
          typeof inner === 'object' && inner !== null && 'shape' in inner
            ? Object.keys(inner.shape ?? {}).sort()
            : 'value',
        ];
      }),
    );
    expect(ticket).toEqual(plain);
  });
});
