import { describe, expect, it } from 'vitest';
import { MODULES, REPORTING } from './modules.js';
import { OPERATIONS } from './operations.js';

const all = <T>(pick: (row: (typeof MODULES)[number]) => T[]) => MODULES.flatMap(pick);

describe('the table of modules', () => {
  it('has each name once, so that no spelling means two modules', () => {
    for (const names of [
      all((row) => [row.word]),
      all((row) => [...row.features] as string[]),
      all((row) => [row.report]),
      REPORTING.map(({ array }) => array),
    ])
      expect(new Set(names).size).toBe(names.length);
  });

  it('spells an array of reports alike in both ways of writing', () => {
    for (const { array, result } of REPORTING)
      expect(result.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).toBe(array);
  });

  it('has the four of onboarding first, in their order', () => {
    const onboarding = MODULES.filter((row) => row.onboarding).map(({ word }) => word);
    expect(onboarding).toEqual(['id-verification', 'passive-liveness', 'face-match', 'aml-screening']);
    expect(MODULES.slice(0, 4).map(({ word }) => word)).toEqual(onboarding);
  });

  it('has an operation for every module that runs without a session', () => {
    const paths = Object.values(OPERATIONS).map(({ path }) => path.split('/')[2]);
    for (const { path } of MODULES) if (path !== null) expect(paths).toContain(path);
  });
});
