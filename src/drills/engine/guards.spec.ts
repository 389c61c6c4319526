import { describe, expect, it } from 'vitest';
import { guardSchema } from '../schemas.js';
import { GuardFigures } from './guards.js';

const guard = (members: object) => guardSchema.parse(members);

function figures() {
  let now = 1_000_000;
  return { of: new GuardFigures(() => now), pass: (ms: number) => (now += ms) };
}

describe('a guard', () => {
  it('stops by the ratio of errors outside the scope, once there are enough calls to tell', () => {
    const { of } = figures();
    const ratio = [guard({ metric: 'outside-error-ratio', above: 0.2, fewestCalls: 10 })];
    for (let n = 0; n < 9; n += 1) of.outside(true, 5);
    expect(of.tripped(ratio)).toBeUndefined();
    of.outside(false, 5);
    expect(of.tripped(ratio)).toBe('guard outside-error-ratio: 0.9 is above 0.2');
  });

  it('forgets what lies before its window', () => {
    const { of, pass } = figures();
    const ratio = [guard({ metric: 'outside-error-ratio', above: 0.2, fewestCalls: 5, windowSeconds: 3 })];
    for (let n = 0; n < 10; n += 1) of.outside(true, 5);
    expect(of.tripped(ratio)).toBeDefined();
    pass(3_000);
    for (let n = 0; n < 5; n += 1) of.outside(false, 5);
    expect(of.tripped(ratio)).toBeUndefined();
  });

  it('stops by the 99th percentile of the others’ answers', () => {
    const { of } = figures();
    const p99 = [guard({ metric: 'outside-p99-ms', above: 300 })];
    for (let n = 0; n < 98; n += 1) of.outside(false, 10);
    of.outside(false, 900);
    expect(of.tripped(p99)).toBe('guard outside-p99-ms: 900 is above 300');
  });

  it('stops by failures of the vendor in all', () => {
    const { of } = figures();
    const failures = [guard({ metric: 'vendor-failures', above: 2 })];
    for (let n = 0; n < 3; n += 1) of.vendorFailed();
    expect(of.tripped(failures)).toBe('guard vendor-failures: 3 is above 2');
  });
});
