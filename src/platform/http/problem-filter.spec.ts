import { describe, expect, it } from 'vitest';
import { toProblem } from './problem-filter.js';

const driver = (code: string): object => ({ code, severity: 'ERROR' });

describe('what was thrown', () => {
  it.each([
    ['no room on the disk', driver('53100')],
    ['the same as TypeORM has it', { driverError: driver('53100') }],
    ['too many connections', driver('53300')],
    ['a server that shuts down', driver('57P01')],
    ['a server that starts', driver('57P03')],
  ])('by Postgres for want of means is a refusal that may be tried again: %s', (_what, error) => {
    const problem = toProblem(error);
    expect(problem).toMatchObject({ code: 'audit-unavailable', status: 503, rule: 'database.unavailable' });
    expect(problem.headers).toHaveProperty('retry-after');
  });

  it.each([
    ['a constraint', driver('23505')],
    ['a code of something else', { code: '53100' }],
    ['nothing known', new Error('x')],
    ['nothing at all', undefined],
  ])('otherwise is a defect: %s', (_what, error) => {
    expect(toProblem(error)).toMatchObject({ code: 'internal', status: 500 });
  });
});
