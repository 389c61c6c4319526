import { describe, expect, it } from 'vitest';
import { assess, type Assessed } from './assessment.js';
import { ticketFactsSchema } from './engine/schemas.js';

const entity = { home: 'ES', type: 'credit_institution' } as const;
const T0 = new Date('2026-03-10T08:00:00.000Z');
const later = (ms: number): Date => new Date(T0.getTime() + ms);
const HOUR = 3_600_000;

function incident(members: Partial<Assessed> & { given?: object } = {}): Assessed {
  const { given = {}, ...rest } = members;
  return {
    facts: ticketFactsSchema.parse(given),
    detectedAt: T0,
    occurredAt: null,
    restoredAt: null,
    resolvedAt: null,
    maintenanceWindow: null,
    ...rest,
  };
}

const major = {
  critical: { cif: true },
  clients: { affected: 20, usingService: 100 },
  reputation: { media: true },
};

describe('assess', () => {
  it('proposes nothing major of an incident that nothing is known of, and says what could tip it', () => {
    const proposal = assess(incident(), entity, T0);
    expect(proposal).toMatchObject({ major: false, limb: null, at: T0.toISOString(), derived: {} });
    expect(proposal.unknowns.length).toBeGreaterThan(0);
  });

  it('keeps the instant since which the answer has been the same', () => {
    const first = assess(incident({ given: major }), entity, T0);
    const again = assess(incident({ given: { ...major, costEur: '5' } }), entity, later(HOUR), first);
    expect(again).toMatchObject({ major: true, at: T0.toISOString(), computedAt: later(HOUR).toISOString() });
    const turned = assess(incident(), entity, later(2 * HOUR), again);
    expect(turned).toMatchObject({ major: false, at: later(2 * HOUR).toISOString() });
  });

  it('measures duration and downtime by the incident’s own instants', () => {
    const proposal = assess(
      incident({ occurredAt: later(-HOUR), restoredAt: later(HOUR), resolvedAt: later(23 * HOUR + 1) }),
      entity,
      later(24 * HOUR),
    );
    const inputs = proposal.explanation.map((row) => row.inputs);
    expect(Object.assign({}, ...inputs)).toMatchObject({ 'time.durationS': 86_401, 'time.downtimeS': 7_200 });
    expect(proposal.sub['9(3)(a)']).toBe(true);
    expect(proposal.derived).toEqual({
      'time.durationS': 'occurredAt to resolvedAt',
      'time.downtimeS': 'occurredAt to restoredAt',
    });
  });

  it('lets a stated duration win, and knows none while the incident lasts', () => {
    const stated = assess(incident({ resolvedAt: later(48 * HOUR), given: { time: { durationS: 60 } } }), entity, T0);
    expect(stated.sub['9(3)(a)']).toBeUndefined();
    expect(stated.derived).toEqual({});
    expect(assess(incident(), entity, later(48 * HOUR)).derived).toEqual({});
  });

  describe('with a planned maintenance', () => {
    const maintenanceWindow = { from: later(-HOUR).toISOString(), to: later(HOUR).toISOString() };

    it('is out of scope as long as it keeps to its window', () => {
      const proposal = assess(incident({ maintenanceWindow, given: major }), entity, T0);
      expect(proposal).toMatchObject({ inScope: false, major: false });
      expect(proposal.derived).toHaveProperty('ictRelatedIncident');
    });

    it('is an incident once it overruns, or when it began before', () => {
      expect(assess(incident({ maintenanceWindow, given: major }), entity, later(HOUR + 1)).major).toBe(true);
      expect(assess(incident({ maintenanceWindow, given: major, resolvedAt: later(2 * HOUR) }), entity, T0).major).toBe(
        true,
      );
      expect(
        assess(incident({ maintenanceWindow, given: major, occurredAt: later(-2 * HOUR) }), entity, T0).major,
      ).toBe(true);
    });

    it('is what a person says it is', () => {
      const given = { ...major, ictRelatedIncident: true };
      expect(assess(incident({ maintenanceWindow, given }), entity, T0).major).toBe(true);
    });
  });
});
