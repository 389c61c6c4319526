import { describe, expect, it } from 'vitest';
import { Log, safeError } from './log.js';

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

describe('the operational log', () => {
  it('gives each line to those who listen, as it was written, until they go', () => {
    const written: string[] = [];
    const heard: string[] = [];
    const log = new Log('info', { write: (line) => void written.push(line) });
    const leave = log.tee((line) => heard.push(line));
    log.info('one', { count: 1, error: new Error('secret') });
    log.debug('not at this level');
    leave();
    log.warn('two');
    expect(heard).toEqual(written.slice(0, 1));
    expect(JSON.parse(heard[0] ?? '')).toMatchObject({ level: 'info', msg: 'one', count: 1, error: { type: 'Error' } });
    expect(heard.join('')).not.toContain('secret');
    expect(written).toHaveLength(2);
  });
});
