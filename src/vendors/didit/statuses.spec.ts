import { describe, expect, it } from 'vitest';
import { sessionStatus, stepsOf } from './statuses.js';
import { REPORTING } from './modules.js';
import { FULL_DECISION } from './testing/decision.js';
import { EVERY_MODULE } from './testing/reports.js';

const stepStatuses = (decision: unknown) => stepsOf(decision).steps.map(({ status }) => status);

describe('a session status', () => {
  it.each([
    ['Not Started', 'pending'],
    ['In Progress', 'in-progress'],
    ['Awaiting User', 'in-progress'],
    ['In Review', 'in-review'],
    ['Approved', 'approved'],
    ['Declined', 'declined'],
    ['Resubmitted', 'resubmission'],
    ['Expired', 'expired'],
    ['Abandoned', 'abandoned'],
    ['Kyc Expired', 'expired'],
  ])('%s is %s', (theirs, ours) => {
    expect(sessionStatus(theirs)).toBe(ours);
  });

  it.each(['KYC Expired', 'approved', 'Frozen', '', 'constructor', null, 7])('%j is none that we know', (theirs) => {
    expect(sessionStatus(theirs)).toBeUndefined();
  });
});

describe('the steps of a decision', () => {
  it('are the four of the contract, in their order, whatever else is not there', () => {
    expect(stepsOf({ ...FULL_DECISION, features: undefined, phone_verifications: null })).toEqual({
      unknown: [],
      steps: [
        { name: 'id-verification', status: 'passed' },
        { name: 'passive-liveness', status: 'passed' },
        { name: 'face-match', status: 'review' },
        { name: 'aml-screening', status: 'passed' },
      ],
    });
  });

  it('are followed by those of further modules, planned or run', () => {
    expect(stepsOf(FULL_DECISION).steps.slice(4)).toEqual([{ name: 'phone-verification', status: 'passed' }]);
    expect(stepsOf({ ...EVERY_MODULE, features: [] }).steps.map(({ name }) => name)).toEqual(
      REPORTING.map(({ word }) => word),
    );
    const planned = { status: 'In Progress', features: ['POA', 'QUESTIONNAIRE', 'LIVENESS', 'SOMETHING_NEW'] };
    expect(stepsOf(planned).steps).toEqual([
      { name: 'id-verification', status: 'skipped' },
      { name: 'passive-liveness', status: 'waiting' },
      { name: 'face-match', status: 'skipped' },
      { name: 'aml-screening', status: 'skipped' },
      { name: 'proof-of-address', status: 'waiting' },
      { name: 'questionnaire', status: 'waiting' },
    ]);
  });

  it('wait until a module has produced something', () => {
    const session = { status: 'In Progress', id_verifications: [{ status: 'Not Finished' }], liveness_checks: null };
    expect(stepStatuses(session)).toEqual(['running', 'waiting', 'waiting', 'waiting']);
    expect(stepStatuses({ status: 'Not Started' })).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
    expect(stepStatuses(null)).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
  });

  it('are skipped when the workflow has none of them, or the session ended before', () => {
    const features = ['OCR', { feature: 'FACE_MATCH', node_id: 'x' }];
    expect(stepStatuses({ status: 'In Progress', features })).toEqual(['waiting', 'skipped', 'waiting', 'skipped']);
    for (const status of ['Declined', 'Expired', 'Abandoned', 'Kyc Expired', 'In Review', 'Approved'])
      expect(stepStatuses({ status, id_verifications: [{ status: 'Declined' }] })).toEqual([
        'failed',
        'skipped',
        'skipped',
        'skipped',
      ]);
    expect(stepStatuses({ status: 'Resubmitted' })).toContain('waiting');
  });

  it.each([
    [['Approved', 'Declined'], 'failed'],
    [['Approved', 'In Review'], 'review'],
    [['Approved', 'Not Finished'], 'running'],
    [['Approved', 'Resub Requested'], 'waiting'],
    [['Approved', 'Expired'], 'failed'],
    [['Approved', 'Approved'], 'passed'],
  ])('of several reports %j are %s', (statuses, expected) => {
    const reports = statuses.map((status) => ({ status }));
    expect(stepStatuses({ status: 'In Progress', id_verifications: reports })[0]).toBe(expected);
  });

  it('tell a status that nobody knows and call for a person once the session has ended', () => {
    const reports = { aml_screenings: [{ status: 'Quarantined' }] };
    const open = stepsOf({ status: 'In Progress', ...reports });
    expect(open.unknown).toEqual(['aml_screenings']);
    expect(open.steps[3]).toEqual({ name: 'aml-screening', status: 'running' });
    expect(stepsOf({ status: 'Approved', ...reports }).steps[3]?.status).toBe('review');
  });
});
