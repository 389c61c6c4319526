import { beforeEach, describe, expect, it } from 'vitest';
import { VendorRefusal } from '../failure.js';
import type { PermitResult } from './breaker.js';
import { type BreakerChange, Breakers } from './breakers.js';
import { BREAKER } from './testing/parts.js';

describe('the breakers before a vendor', () => {
  let nowMs: number;
  let breakers: Breakers;
  let changes: BreakerChange[];
  beforeEach(() => {
    nowMs = 1_000_000;
    changes = [];
    breakers = new Breakers({ settings: BREAKER, nowMs: () => nowMs, onChange: (change) => changes.push(change) });
  });

  function calls(n: number, operation: string, result: PermitResult, client = 'bank', unreachable = false): number {
    let passed = 0;
    for (let at = 0; at < n; at += 1) {
      try {
        const pass = breakers.enter(operation);
        passed += 1;
        breakers.leave(pass, result, client, unreachable);
      } catch (error) {
        expect(error).toBeInstanceOf(VendorRefusal);
      }
    }
    return passed;
  }

  it('shut the operation that fails and no other', () => {
    calls(50, 'session.list', 'success');
    expect(calls(50, 'session.create', 'failure')).toBe(10);
    expect(calls(50, 'session.list', 'success')).toBe(50);
    expect(changes).toEqual([{ operation: 'session.create', state: 'open' }]);
  });

  it('shut everything when every operation in use fails', () => {
    calls(100, 'session.list', 'success');
    calls(100, 'aml', 'success');
    nowMs += 1_000;
    for (let n = 0; n < 200; n += 1) {
      calls(1, 'session.list', 'failure');
      calls(1, 'aml', 'failure');
    }
    expect(changes).toContainEqual({ operation: undefined, state: 'open' });
    expect(() => breakers.check('session.delete')).toThrow(VendorRefusal);
  });

  it('shut everything at once when no connection comes about, by whatever single operation', () => {
    calls(100, 'aml', 'success');
    expect(calls(50, 'session.create', 'failure', 'bank', true)).toBe(10);
    expect(() => breakers.check('aml')).toThrow(VendorRefusal);
  });

  it('open for no client’s own failures while others are served', () => {
    for (let n = 0; n < 300; n += 1) {
      calls(3, 'session.create', 'failure', 'clumsy');
      if (n % 10 === 0) calls(1, 'session.create', 'success', 'bank');
      nowMs += 100;
    }
    expect(changes).toEqual([]);
    expect(calls(1, 'session.create', 'failure', 'bank')).toBe(1);
    expect(changes).toEqual([{ operation: 'session.create', state: 'open' }]);
  });

  it('open for a single client when there is no other', () => {
    calls(10, 'session.create', 'failure', 'only');
    expect(changes).toHaveLength(1);
  });

  it('let operations try again as soon as the vendor is back', () => {
    for (let n = 0; n < 200; n += 1) {
      calls(1, 'session.list', 'failure');
      calls(1, 'aml', 'failure');
      calls(1, 'session.create', 'failure', 'bank', true);
      nowMs += 37;
    }
    expect(breakers.view().whole.state).not.toBe('closed');
    nowMs += 5_000;
    expect(calls(2, 'aml', 'success')).toBe(2);
    expect(breakers.view().whole.state).toBe('closed');
    expect(calls(2, 'session.list', 'success')).toBe(2);
    expect(calls(2, 'session.create', 'success')).toBe(2);
    expect(breakers.view().operations.map(({ view }) => view.state)).toEqual(['closed', 'closed', 'closed']);
    expect(changes.filter(({ state }) => state === 'open')).toHaveLength(
      changes.filter(({ state }) => state === 'closed').length,
    );
  });

  it('pause an operation that the vendor throttles, for as long as it asks and no longer than five seconds', () => {
    breakers.pause('session.pdf', 2_000);
    breakers.pause('aml', 3_600_000);
    expect(() => breakers.check('session.pdf')).toThrow(expect.objectContaining({ retryAfterSeconds: 2, attempts: 0 }));
    expect(calls(1, 'session.list', 'success')).toBe(1);
    nowMs += 2_000;
    expect(calls(1, 'session.pdf', 'success')).toBe(1);
    nowMs += 3_000;
    expect(calls(1, 'aml', 'success')).toBe(1);
  });
});
