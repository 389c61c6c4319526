import { describe, expect, it } from 'vitest';
import {
  isOpen,
  next,
  type Status,
  STATUSES,
  TRANSITIONS,
  vendorEvent,
  type VerificationEvent,
} from './transitions.js';

const open: Status[] = ['queued', 'pending', 'in-progress', 'in-review', 'resubmission'];
const followed: Status[] = ['in-progress', 'in-review', 'resubmission', 'approved', 'declined', 'expired', 'abandoned'];

describe('TRANSITIONS', () => {
  it('has a row for each status and leads only to known ones', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...STATUSES].sort());
    for (const row of Object.values(TRANSITIONS)) for (const to of Object.values(row)) expect(STATUSES).toContain(to);
  });

  it('reaches every status from the first ones', () => {
    const reached = new Set<Status>(['pending', 'queued']);
    for (let size = 0; size !== reached.size;) {
      size = reached.size;
      for (const from of reached) for (const to of Object.values(TRANSITIONS[from])) reached.add(to);
    }
    expect([...reached].sort()).toEqual([...STATUSES].sort());
  });

  it('ends with a cancelled one', () => {
    expect(TRANSITIONS.cancelled).toEqual({});
  });

  it('follows the vendor from one decision to another', () => {
    expect(next('approved', 'vendor.declined')).toBe('declined');
    expect(next('approved', 'vendor.expired')).toBe('expired');
    expect(next('approved', 'vendor.resubmission')).toBe('resubmission');
    expect(next('abandoned', 'vendor.approved')).toBe('approved');
  });

  it.each(STATUSES)('lets %s be cancelled exactly while it is open', (status) => {
    expect(isOpen(status)).toBe(open.includes(status));
    expect(next(status, 'client.cancelled')).toBe(open.includes(status) ? 'cancelled' : undefined);
  });

  it.each<[VerificationEvent, Status[]]>([
    ['session.attached', ['queued', 'pending']],
    ['create.refused', ['queued', 'pending']],
    ['create.given-up', ['queued', 'pending']],
    ['create.repeated', ['failed']],
    ['create.queued', ['pending']],
    ['review.requested', ['queued', 'pending']],
    ['review.approved', ['in-review']],
    ['review.declined', ['in-review']],
    ['session.deleted', ['pending', 'in-progress', 'in-review', 'resubmission']],
  ])('knows %s from these alone', (event, from) => {
    expect(STATUSES.filter((status) => next(status, event) !== undefined).sort()).toEqual([...from].sort());
  });

  it('makes an event of each vendor status that moves something', () => {
    expect(STATUSES.filter((status) => vendorEvent(status) !== undefined).sort()).toEqual([...followed].sort());
  });
});
