import { describe, expect, it } from 'vitest';
import { isOutage, suspectWindows } from './detection.js';

const at = (...seconds: number[]): Date[] => seconds.map((second) => new Date(second * 1_000));

describe('suspectWindows', () => {
  it('needs five failures in sixty seconds', () => {
    expect(suspectWindows(at(0, 10, 20, 30))).toEqual([]);
    expect(suspectWindows(at(0, 10, 20, 30, 59))).toEqual([{ from: 0, to: 59, failed: 5 }]);
    expect(suspectWindows(at(0, 10, 20, 30, 60))).toEqual([]);
  });

  it('looks at every minute, the latest first', () => {
    expect(suspectWindows(at(100, 101, 102, 103, 104, 150, 300))).toEqual([
      { from: 91, to: 150, failed: 6 },
      { from: 45, to: 104, failed: 5 },
    ]);
  });

  it('counts failures of one instant, in whatever order they were told', () => {
    expect(suspectWindows(at(7, 5, 7, 7, 5))).toEqual([{ from: -52, to: 7, failed: 5 }]);
  });
});

describe('isOutage', () => {
  it.each([
    [5, 10, true],
    [5, 11, false],
    [4, 4, false],
    [5, 0, true],
    [50, 99, true],
  ])('%i failures of %i calls', (failed, calls, outage) => {
    expect(isOutage(failed, calls)).toBe(outage);
  });
});
