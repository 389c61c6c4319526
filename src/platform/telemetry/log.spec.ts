import { describe, expect, it } from 'vitest';
import { safeError } from './log.js';

describe('safeError', () => {
  it('tells the kind, the code and the place, and never the message', () => {
    const error = Object.assign(new TypeError('invalid input syntax: "Zoë Müller"'), { code: '22P02' });
    const told = JSON.stringify(safeError(error));
    expect(told).toContain('TypeError');
    expect(told).toContain('22P02');
    expect(told).toContain('log.spec');
    expect(told).not.toContain('Zoë');
  });

  it('says no more than the type of what is no error', () => {
    expect(safeError('secret text')).toEqual({ type: 'string' });
  });
});
