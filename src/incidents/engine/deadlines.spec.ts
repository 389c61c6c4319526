import { describe, expect, it } from 'vitest';
import { computeDeadline } from './deadlines.js';
import { deadlineRequestSchema } from './schemas.js';
import { MEMBER_STATES } from './states.js';

const PAYMENTS = { memberState: 'ES', entityType: 'payment_institution' };

function deadline(request: object) {
  return computeDeadline(deadlineRequestSchema.parse({ ...PAYMENTS, ...request }));
}

function initial(awareAt: string, classifiedAt?: string, rest: object = {}) {
  return deadline({ report: 'initial', awareAt, classifiedAt, ...rest });
}

const NEVER_SHIFTED = { excludedFrom5_4: true };

describe('the limbs of the initial notification', () => {
  const aware = '2026-03-10T07:00:00Z';

  it.each([
    ['at once', '2026-03-10T07:00:00Z', '5(1)(a) 4h limb', '2026-03-10T11:00:00.000Z'],
    ['just before the limbs meet', '2026-03-11T02:59:59.999Z', '5(1)(a) 4h limb', '2026-03-11T06:59:59.999Z'],
    ['where the limbs meet', '2026-03-11T03:00:00Z', '5(1)(a) 4h limb', '2026-03-11T07:00:00.000Z'],
    ['just after', '2026-03-11T03:00:00.001Z', '5(1)(a) 24h limb', '2026-03-11T07:00:00.000Z'],
    ['at 24 hours', '2026-03-11T07:00:00Z', '5(1)(a) 24h limb', '2026-03-11T07:00:00.000Z'],
    ['just after 24 hours', '2026-03-11T07:00:00.001Z', '5(2) 4h from classification', '2026-03-11T11:00:00.001Z'],
    ['days later', '2026-03-16T10:00:00+01:00', '5(2) 4h from classification', '2026-03-16T13:00:00.000Z'],
  ])('classified %s', (_case, classified, limb, dueAt) => {
    expect(initial(aware, classified)).toMatchObject({ limb, baseAt: dueAt, dueAt, shifted: false });
  });

  it('stands on 24 hours while nothing is classified', () => {
    expect(initial(aware)).toMatchObject({
      limb: '5(1)(a) 24h limb',
      dueAt: '2026-03-11T07:00:00.000Z',
      dueLocal: '2026-03-11T08:00:00+01:00',
    });
  });

  it('cuts what is finer than a millisecond, so that no limit grows', () => {
    expect(initial('2026-03-10T07:00:00.000999Z').dueAt).toBe('2026-03-11T07:00:00.000Z');
  });

  it('counts hours as they pass, over both changes of the clock', () => {
    expect(initial('2026-03-28T12:00:00+01:00', undefined, NEVER_SHIFTED).dueLocal).toBe('2026-03-29T13:00:00+02:00');
    expect(initial('2026-10-24T12:00:00+02:00', undefined, NEVER_SHIFTED).dueLocal).toBe('2026-10-25T11:00:00+01:00');
  });
});

describe('weekends and holidays', () => {
  it.each([
    ['the last moment of Friday', '2026-03-05T23:59:59.999+01:00', '2026-03-06T23:59:59.999+01:00', false],
    ['the first moment of Saturday', '2026-03-06T00:00:00+01:00', '2026-03-09T12:00:00+01:00', true],
    ['the last moment of Sunday', '2026-03-07T23:59:59+01:00', '2026-03-09T12:00:00+01:00', true],
    ['the first moment of Monday', '2026-03-08T00:00:00+01:00', '2026-03-09T00:00:00+01:00', false],
    ['Friday in UTC and Saturday in Madrid', '2026-03-05T23:30:00Z', '2026-03-09T12:00:00+01:00', true],
    ['a holiday between working days', '2026-10-11T09:00:00+02:00', '2026-10-13T12:00:00+02:00', true],
    ['a holiday before a weekend', '2026-04-02T09:00:00+02:00', '2026-04-06T12:00:00+02:00', true],
    ['a weekend before a holiday', '2026-10-09T09:00:00+02:00', '2026-10-13T12:00:00+02:00', true],
    ['noon after the change of the clock', '2026-03-27T09:00:00+01:00', '2026-03-30T12:00:00+02:00', true],
  ])('%s', (_case, awareAt, dueLocal, shifted) => {
    expect(initial(awareAt)).toMatchObject({ dueLocal, shifted });
  });

  it('names both instants where it shifts', () => {
    expect(initial('2026-03-06T10:00:00Z')).toMatchObject({
      baseAt: '2026-03-07T10:00:00.000Z',
      dueAt: '2026-03-09T11:00:00.000Z',
    });
  });

  it('uses the zone of the capital, or the one given', () => {
    const request = deadlineRequestSchema.parse({
      ...PAYMENTS,
      memberState: 'PT',
      report: 'initial',
      awareAt: '2026-03-05T23:30:00Z',
    });
    expect(computeDeadline(request)).toMatchObject({ timeZone: 'Europe/Lisbon', shifted: false });
    expect(computeDeadline(request, 'Europe/Madrid')).toMatchObject({ timeZone: 'Europe/Madrid', shifted: true });
  });

  it.each(MEMBER_STATES)('knows the time of %s', (memberState) => {
    const { dueLocal } = initial('2026-07-01T00:00:00Z', undefined, { memberState });
    expect(dueLocal).toMatch(/^2026-07-02T0[0-3]:00:00\+0[0-3]:00$/);
  });

  it('shifts by the given holidays alone, wherever they come from', () => {
    const awareAt = '2026-04-30T09:00:00+02:00';
    expect(initial(awareAt).shifted).toBe(true);
    expect(initial(awareAt, undefined, { holidays: [] }).shifted).toBe(false);
    expect(initial('2026-03-10T09:00:00+01:00', undefined, { holidays: ['2026-03-11', '2026-03-12'] })).toMatchObject({
      dueLocal: '2026-03-13T12:00:00+01:00',
    });
  });

  it('crosses into the next year by the calendar of that year', () => {
    const holidays = ['2026-12-31', '2027-01-01'];
    expect(initial('2026-12-30T09:00:00+01:00', undefined, { holidays }).dueLocal).toBe('2027-01-04T12:00:00+01:00');
    expect(initial('2026-12-31T09:00:00+01:00').dueLocal).toBe('2027-01-04T12:00:00+01:00');
  });

  it('says so where no calendar ships', () => {
    const polish = initial('2026-03-06T10:00:00Z', undefined, { memberState: 'PL' });
    expect(polish).toMatchObject({ shifted: true, dueLocal: '2026-03-09T12:00:00+01:00' });
    expect(polish.explanation.at(-1)?.text).toBe(
      'No calendar of bank holidays is shipped for PL 2026: only weekends shift the limit.',
    );
    expect(JSON.stringify(initial('2031-05-01T10:00:00Z').explanation)).toContain('only weekends');
    expect(JSON.stringify(initial('2026-05-05T10:00:00Z').explanation)).not.toContain('only weekends');
  });
});

describe('who may not use the weekend rule', () => {
  const saturday = '2026-03-06T10:00:00Z';
  const shifted = (rest: object) => initial(saturday, undefined, rest).shifted;

  it.each(['credit_institution', 'central_counterparty', 'trading_venue'])('%s', (entityType) => {
    expect(shifted({ entityType })).toBe(false);
    expect(shifted({ entityType, excludedFrom5_4: false })).toBe(true);
  });

  it('an essential or important entity, or one that the request names', () => {
    expect(shifted({ nis2: true })).toBe(false);
    expect(shifted({ nis2: false })).toBe(true);
    expect(shifted({ excludedFrom5_4: true })).toBe(false);
  });

  it('one with a notice of the authority at or before the classification', () => {
    const classified = '2026-03-06T22:00:00Z';
    const withNotice = (systemicNotice: string) => initial(saturday, classified, { systemicNotice }).shifted;
    expect(withNotice('2026-03-06T22:00:00Z')).toBe(false);
    expect(withNotice('2026-03-06T22:00:00.001Z')).toBe(true);
  });

  it('one with a notice before the limit, while nothing is classified', () => {
    expect(shifted({ systemicNotice: '2026-03-07T10:00:00Z' })).toBe(false);
    expect(shifted({ systemicNotice: '2026-03-07T10:00:01Z' })).toBe(true);
  });

  it('the intermediate report by a notice at or before the initial notification', () => {
    const intermediate = (systemicNotice: string) =>
      deadline({ report: 'intermediate', initialSubmittedAt: '2026-03-11T09:00:00Z', systemicNotice }).shifted;
    expect(intermediate('2026-03-11T09:00:00Z')).toBe(false);
    expect(intermediate('2026-03-11T09:00:01Z')).toBe(true);
  });

  it('never the final report', () => {
    const final = { report: 'final', lastIntermediateSubmittedAt: '2026-01-31T09:00:00Z' };
    const excluded = {
      entityType: 'credit_institution',
      nis2: true,
      excludedFrom5_4: true,
      systemicNotice: '2020-01-01T00:00:00Z',
    };
    expect(deadline({ ...final, ...excluded })).toMatchObject({ shifted: true, dueLocal: '2026-03-02T12:00:00+01:00' });
  });
});

describe('the later reports', () => {
  it('gives the intermediate report 72 hours from the submission', () => {
    expect(deadline({ report: 'intermediate', initialSubmittedAt: '2026-03-09T09:00:00Z' })).toMatchObject({
      limb: '5(1)(b)',
      baseAt: '2026-03-12T09:00:00.000Z',
      dueAt: '2026-03-12T09:00:00.000Z',
    });
  });

  it('gives an update no figure', () => {
    const update = deadline({ report: 'updated-intermediate' });
    expect(update).toMatchObject({ limb: '5(1)(b)', baseAt: null, dueAt: null, dueLocal: null, shifted: false });
    expect(JSON.stringify(update.explanation)).toContain('without undue delay');
  });

  it.each([
    ['the same date and time', '2026-02-10T09:00:00+01:00', '2026-03-10T09:00:00+01:00'],
    ['cut to the end of a month of 30 days', '2026-08-31T09:00:00+02:00', '2026-09-30T09:00:00+02:00'],
    ['cut to a leap day', '2028-01-31T09:00:00+01:00', '2028-02-29T09:00:00+01:00'],
    ['over the end of the year', '2026-12-10T09:00:00+01:00', '2027-01-11T12:00:00+01:00'],
    ['the same clock time after a change of the clock', '2026-03-10T09:00:00+01:00', '2026-04-10T09:00:00+02:00'],
    ['by the local date where UTC has another', '2026-03-31T23:30:00Z', '2026-05-04T12:00:00+02:00'],
  ])('gives the final report a month: %s', (_case, submitted, dueLocal) => {
    expect(deadline({ report: 'final', lastIntermediateSubmittedAt: submitted })).toMatchObject({
      limb: '5(1)(c)',
      dueLocal,
    });
  });

  it('takes a time that the changed clock skips as the one after', () => {
    const final = deadline({ report: 'final', lastIntermediateSubmittedAt: '2026-02-28T02:30:00+01:00' });
    expect(final.baseAt).toBe('2026-03-28T01:30:00.000Z');
    expect(deadline({ report: 'final', lastIntermediateSubmittedAt: '2027-02-28T02:30:00+01:00' }).baseAt).toBe(
      '2027-03-28T01:30:00.000Z',
    );
  });
});
