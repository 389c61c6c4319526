import { describe, expect, it } from 'vitest';
import { type Call, loadConfig, ManualClock, ProblemError } from '../platform/index.js';
import { Anonymous, type CountedRefusals } from './anonymous.js';

function house(rates: object = {}) {
  const clock = new ManualClock();
  const counted: CountedRefusals[] = [];
  const config = { ...loadConfig({}).policy.rates, ...rates };
  return { clock, counted, anonymous: new Anonymous(clock, config, (refusals) => counted.push(refusals)) };
}

const call = (address = '203.0.113.9') => ({ address, recorded: false }) as Call;
const wrong = new ProblemError('unauthenticated');

describe('Anonymous', () => {
  it('holds an address to its rate until the window ends', () => {
    const { anonymous, clock } = house({ address: { limit: 2, windowMs: 60_000 } });
    anonymous.admit(call());
    anonymous.admit(call());
    expect(() => anonymous.admit(call())).toThrow('rate-limited');
    expect(() => anonymous.admit(call('198.51.100.1'))).not.toThrow();
    clock.advance(60_000);
    expect(() => anonymous.admit(call())).not.toThrow();
  });

  it('lets webhooks pass: only those that are forged are counted', () => {
    const { anonymous } = house({ address: { limit: 1, windowMs: 60_000 } });
    for (let n = 0; n < 10; n += 1) anonymous.admit(Object.assign(call(), { routeClass: 'webhook' }));
    anonymous.admit(call());
    expect(() => anonymous.admit(call())).toThrow('rate-limited');
  });

  it('answers 429 once too many credentials were refused, with the time to wait', () => {
    const { anonymous } = house({ anonymous: { limit: 1, windowMs: 60_000 } });
    expect(anonymous.refuse(call(), wrong)).toBe(wrong);
    const refusal = anonymous.refuse(call(), wrong);
    expect(refusal.code).toBe('rate-limited');
    expect(refusal.headers['retry-after']).toBe('60');
  });

  it('records twenty refusals singly and the rest as one counted record', () => {
    const { anonymous, clock, counted } = house();
    const calls = Array.from({ length: 27 }, () => call());
    for (const one of calls) anonymous.refuse(one, wrong);
    expect(calls.filter((one) => !one.recorded)).toHaveLength(20);
    clock.advance(60_000);
    anonymous.sweep();
    expect(counted).toMatchObject([{ address: '203.0.113.9', count: 7 }]);
    anonymous.sweep();
    expect(counted).toHaveLength(1);
  });

  it('tells what it counted when the instance stops in mid-window', () => {
    const { anonymous, counted } = house();
    for (let n = 0; n < 21; n += 1) anonymous.refuse(call(), wrong);
    anonymous.sweep(true);
    expect(counted).toMatchObject([{ count: 1 }]);
  });
});
