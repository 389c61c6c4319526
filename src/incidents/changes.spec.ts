import { describe, expect, it } from 'vitest';
import { changesBetween } from './changes.js';

const entered = (value: unknown) => ({ value, provenance: 'entered' });

describe('changesBetween', () => {
  it('tells each changed value by its pointer, with what it was and is', () => {
    const before = { facts: { clients: { affected: entered(5), usingService: entered(10) }, costEur: entered('1.5') } };
    const after = {
      facts: { clients: { affected: entered(7), usingService: entered(10) } },
      restoredAt: '2026-03-10T08:00:00.000Z',
    };
    expect(changesBetween(before, after)).toEqual([
      {
        member: '/facts/clients/affected',
        before: '{"value":5,"provenance":"entered"}',
        after: '{"value":7,"provenance":"entered"}',
      },
      { member: '/facts/costEur', before: '{"value":"1.5","provenance":"entered"}' },
      { member: '/restoredAt', after: '"2026-03-10T08:00:00.000Z"' },
    ]);
  });

  it('tells of free text only that it changed', () => {
    expect(changesBetween({ title: 'Ana', description: 'x' }, { title: 'Berta' })).toEqual([
      { member: '/title' },
      { member: '/description' },
    ]);
  });

  it('takes an unknown value for an absent one', () => {
    expect(changesBetween({ facts: { clients: {} } }, { facts: { clients: { affected: null } } })).toEqual([]);
  });
});
