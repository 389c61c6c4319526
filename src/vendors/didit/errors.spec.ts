import { describe, expect, it } from 'vitest';
import { classifyError } from './errors.js';
import { OPERATIONS } from './operations.js';
import { retryAfterSeconds } from '../../platform/index.js';

const JSON_TYPE = 'application/json';
const classify = (
  status: number,
  body: unknown,
  operation: keyof typeof OPERATIONS = 'session.create',
  type = JSON_TYPE,
) =>
  classifyError(
    OPERATIONS[operation],
    status,
    type,
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
  );
const CREDIT = "You don't have enough credits to perform this request. Please top up at https://business.didit.me";

describe('Didit’s errors', () => {
  it.each([
    ['detail', { detail: 'Not found.' }],
    ['detail', { detail: ['Only finished sessions can be shared.'] }],
    ['fields', { workflow_id: ['This field is required.'] }],
    ['fields', { workflow_id: 'Invalid workflow_id.' }],
    ['fields', { non_field_errors: ['No.'] }],
    ['messages', ['The new status is the same as the current status.']],
    ['error', { error: 'COULD_NOT_RECOGNIZE_DOCUMENT' }],
    ['error', { error: ['AML weights must sum to 100.'] }],
  ])('of the shape %s go back as they are: %j', (shape, body) => {
    expect(classify(400, body)).toEqual({ kind: 'pass', code: 'invalid-request', shape, body });
  });

  it.each([
    ['an HTML page', '<!doctype html><h1>Not Found</h1>', 'text/html; charset=utf-8'],
    ['HTML that says it is JSON', '<h1>Not Found</h1>', JSON_TYPE],
    ['JSON that says it is text', '{"detail":"x"}', 'text/plain'],
    ['nothing', '', JSON_TYPE],
    ['a bare text', '"Nuria"', JSON_TYPE],
    ['an empty object', '{}', JSON_TYPE],
    ['a list of objects', '[{"name":"Nuria"}]', JSON_TYPE],
  ])('that are %s are answered by a problem of ours', (_, body, type) => {
    expect(classify(404, body, 'session.pdf', type)).toEqual({
      kind: 'pass',
      code: 'not-found',
      shape: 'opaque',
      body: undefined,
    });
  });

  it.each([
    [400, { detail: CREDIT }],
    [403, { error: CREDIT }],
    [403, { error: [CREDIT] }],
    [403, { detail: 'Your balance is too low for this operation.' }],
    [403, { detail: 'Paused.', code: 'contract_billing_suspended' }],
    [402, {}],
    [402, '<html>'],
  ])('tell a want of credit by %i %j', (status, body) => {
    expect(classify(status, body, 'aml')).toMatchObject({ kind: 'failure', problem: 'vendor-credit', outcome: 'none' });
  });

  it('do not tell a want of credit by a text of the caller’s own', () => {
    const quoted = { full_name: ['"enough credits" is not a valid choice.'] };
    expect(classify(400, quoted)).toMatchObject({ kind: 'pass', code: 'invalid-request' });
  });

  it.each([
    [401, { detail: 'This API key has expired.' }],
    [401, ''],
    [403, { detail: 'You do not have permission to perform this action.' }],
    [403, { detail: 'Gone.', code: 'application_deleted' }],
    [403, ''],
  ])('tell refused credentials by %i %j', (status, body) => {
    expect(classify(status, body)).toMatchObject({ kind: 'failure', problem: 'vendor-credentials', outcome: 'none' });
  });

  it('tell the state of a session by a 403 on its PDF alone', () => {
    const body = { detail: 'You can only generate a PDF for sessions in review, declined or approved' };
    expect(classify(403, body, 'session.pdf')).toMatchObject({ kind: 'pass', code: 'conflict', body });
    expect(classify(403, body, 'session.decision')).toMatchObject({ kind: 'failure', problem: 'vendor-credentials' });
    for (const detail of [
      'You do not have permission to perform this action.',
      'Authentication credentials were not provided or are invalid.',
    ])
      expect(classify(403, { detail }, 'session.pdf')).toMatchObject({ problem: 'vendor-credentials' });
    expect(classify(403, {}, 'session.pdf')).toMatchObject({ problem: 'vendor-credentials' });
  });

  it.each([
    [409, 'conflict'],
    [422, 'unprocessable'],
    [404, 'not-found'],
  ])('of %i have the code %s', (status, code) => {
    expect(classify(status, { detail: 'x' })).toMatchObject({ kind: 'pass', code });
  });

  it.each([
    [429, 'vendor-unavailable', 'none'],
    [500, 'vendor-error', 'unknown'],
    [502, 'vendor-error', 'unknown'],
    [503, 'vendor-error', 'unknown'],
    [405, 'vendor-error', 'none'],
    [415, 'vendor-error', 'none'],
  ])('of %i are the vendor’s: %s, outcome %s', (status, problem, outcome) => {
    expect(classify(status, { detail: 'x' })).toMatchObject({ kind: 'failure', problem, outcome });
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('2026-11-23T10:00:00Z');

  it.each([
    ['17', 17],
    [' 17 ', 17],
    ['0', 1],
    ['999999', 3_600],
    ['Mon, 23 Nov 2026 10:00:30 GMT', 30],
    ['Mon, 23 Nov 2026 09:00:00 GMT', 1],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j seconds', (header, seconds) => {
    expect(retryAfterSeconds(header, NOW)).toBe(seconds);
  });
});
