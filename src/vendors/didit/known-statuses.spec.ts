import { describe, expect, it } from 'vitest';
import { unknownStatuses } from './known-statuses.js';
import { REPORTING } from './modules.js';
import type { OperationName } from './operations.js';
import { EVERY_MODULE, STANDALONE } from './testing/reports.js';

describe('statuses that nobody knows', () => {
  it('are none in what Didit is known to send', () => {
    expect(unknownStatuses('session.decision', EVERY_MODULE)).toEqual([]);
    for (const [operation, body] of Object.entries(STANDALONE))
      expect(unknownStatuses(operation as OperationName, body)).toEqual([]);
  });

  it.each(REPORTING)('are told of every module: $array', ({ array }) => {
    const body = {
      ...EVERY_MODULE,
      [array]: [{ status: 'Approved' }, { status: 'Quarantined' }, { status: null }, {}],
    };
    expect(unknownStatuses('session.decision', body)).toEqual([{ path: `${array}[].status`, status: 'Quarantined' }]);
  });

  it.each([
    ['session.create', { status: 'Frozen' }, 'status'],
    ['session.list', { results: [{ status: 'Approved' }, { status: 'Frozen' }] }, 'results[].status'],
    ['poa', { poa: { status: 'Frozen' } }, 'poa.status'],
    ['age-estimation', { age_estimation: { status: 'Frozen' } }, 'age_estimation.status'],
    ['phone.check', { status: 'Approved', phone: { status: 'Frozen' } }, 'phone.status'],
    ['email.send', { status: 'Frozen' }, 'status'],
    ['wallet-screening', { status: 'Frozen' }, 'status'],
    ['kyb.select', { kyb_registry: { status: 'Frozen' } }, 'kyb_registry.status'],
    ['transaction.get', { status: 'Frozen' }, 'status'],
    ['business.get', { status: 'Frozen' }, 'status'],
  ] as const)('are told of %s', (operation, body, path) => {
    expect(unknownStatuses(operation, body)).toEqual([{ path, status: 'Frozen' }]);
  });

  it('are never told by a text that could be anybody’s', () => {
    const told = (status: unknown) => unknownStatuses('wallet-screening', { status })[0]?.status;
    expect(told('Nuria, Calle Mayor 1 <nuria@mail.test>')).toBe('(string)');
    expect(told('x'.repeat(100))).toBe('x'.repeat(64));
    expect(told({ full_name: 'Nuria' })).toBe('(object)');
    expect(unknownStatuses('wallet-screening', null)).toEqual([]);
  });
});
