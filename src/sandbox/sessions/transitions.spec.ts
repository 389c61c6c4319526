import { describe, expect, it } from 'vitest';
import { isUnfinished, mayMove, sessionStatuses, wayTo } from './transitions.js';

describe('the transition guard', () => {
  it('has ten statuses, one of which is spelt Kyc Expired', () => {
    expect(sessionStatuses).toHaveLength(10);
    expect(sessionStatuses).toContain('Kyc Expired');
  });

  it('keeps Expired terminal', () => {
    for (const to of sessionStatuses) {
      expect(mayMove('Expired', to, 'flow') || mayMove('Expired', to, 'reviewer')).toBe(false);
    }
  });

  it('lets a reviewer move an approved session back, and the flow not', () => {
    expect(mayMove('Approved', 'Declined', 'reviewer')).toBe(true);
    expect(mayMove('Approved', 'Declined', 'flow')).toBe(false);
    expect(mayMove('Approved', 'Kyc Expired', 'flow')).toBe(true);
  });

  it('never lets a status become itself', () => {
    for (const status of sessionStatuses) expect(mayMove(status, status, 'reviewer')).toBe(false);
  });

  it('knows what a person can still go on with', () => {
    expect(sessionStatuses.filter(isUnfinished)).toEqual([
      'Not Started',
      'In Progress',
      'Awaiting User',
      'Resubmitted',
    ]);
  });
});

describe('wayTo', () => {
  it('passes In Progress on the way to a decision', () => {
    expect(wayTo('Not Started', 'Approved')).toEqual(['In Progress', 'Approved']);
    expect(wayTo('Not Started', 'Kyc Expired')).toEqual(['In Progress', 'Approved', 'Kyc Expired']);
    expect(wayTo('Resubmitted', 'Declined')).toEqual(['In Progress', 'Declined']);
    expect(wayTo('Not Started', 'Expired')).toEqual(['Expired']);
  });

  it('finds no way where there is none', () => {
    expect(wayTo('In Progress', 'Expired')).toBeNull();
    expect(wayTo('Declined', 'Approved')).toBeNull();
  });
});
