import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../platform/index.js';
import { VendorRefusal } from '../failure.js';
import { Trip } from './passage.js';
import { failing, SETTINGS, unreachable } from './testing/parts.js';
import { isUnreachable, verdictOf } from './verdict.js';

const patience = { slow: SETTINGS.breaker.slow, timeouts: SETTINGS.timeouts };
const verdict = (error: unknown, elapsedMs = 20, over: { gone?: boolean; waitedMs?: number; sent?: number } = {}) => {
  const trip = new Trip();
  trip.sent = over.sent ?? 1;
  trip.waitedForCallerMs = () => over.waitedMs ?? 0;
  return verdictOf(error, { operation: 'read', trip, elapsedMs, gone: over.gone ?? false }, patience);
};
const late = () => failing('vendor-timeout', { status: 0, reason: 'no answer in time' });

describe('what an attempt tells of the vendor', () => {
  it.each([
    ['a 500', failing(), 'failure'],
    ['a connection that broke', failing('vendor-error', { status: 0, reason: 'transport.ECONNRESET' }), 'failure'],
    ['no connection', unreachable(), 'failure'],
    ['an answer cut in the middle', failing('vendor-invalid-answer', { status: 200 }), 'failure'],
    ['refused credentials', failing('vendor-credentials', { outcome: 'none', status: 401 }), 'success'],
    ['a want of credit', failing('vendor-credit', { outcome: 'none', status: 402 }), 'success'],
    ['a 429', failing('vendor-unavailable', { outcome: 'none', status: 429 }), 'success'],
    ['a 418', failing('vendor-error', { outcome: 'none', status: 418 }), 'success'],
    ['a body too large', new ProblemError('body-too-large'), 'nothing'],
    ['what was never let out', new VendorRefusal('overloaded', 'x'), 'nothing'],
    ['a defect', new TypeError('x'), 'nothing'],
  ])('%s is %3$s', (_, error, expected) => {
    expect(verdict(error)).toBe(expected);
  });

  it('is nothing when the caller went away or had no time itself', () => {
    expect(verdict(failing(), 20, { gone: true })).toBe('nothing');
    expect(verdict(late(), 1_000)).toBe('nothing');
    expect(verdict(late(), 10_000)).toBe('failure');
  });

  it('is less than nothing when it never left', () => {
    expect(verdict(failing(), 20, { gone: true, sent: 0 })).toBe('unsent');
    expect(verdict(new VendorRefusal('overloaded', 'x'), 20, { sent: 0 })).toBe('unsent');
  });

  it('is the vendor’s own time alone: a slow upload is no slow vendor', () => {
    expect(verdict(undefined, 2_900)).toBe('success');
    expect(verdict(undefined, 3_000)).toBe('slow');
    expect(verdict(undefined, 9_000, { waitedMs: 8_000 })).toBe('success');
    expect(verdict(late(), 10_000, { waitedMs: 9_000 })).toBe('nothing');
  });

  it('holds a short time-out against the vendor as well', () => {
    const course = { operation: 'read' as const, trip: new Trip(), elapsedMs: 999, gone: false };
    expect(verdictOf(late(), course, { ...patience, timeouts: { ...patience.timeouts, read: 1_000 } })).toBe('failure');
  });

  it('tells a house that nobody can enter from an operation that fails', () => {
    expect([unreachable(), failing(), late()].map(isUnreachable)).toEqual([true, false, false]);
  });
});
