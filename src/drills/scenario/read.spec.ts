import { describe, expect, it } from 'vitest';
import { parseScenario, readScenario, ScenarioError, shippedScenarios } from './read.js';

const VALID = `
name: mine
purpose: To see.
articles: ['25']
faults:
  - at: vendor
    fault: { kind: latency, ms: 100 }
    from: 1s
    for: 2s
load: { perSecond: 5, for: 5s, deadline: 2s, mix: { reads: 1 } }
`;

const problemsOf = (text: string) => {
  try {
    parseScenario(text, 'mine.yaml');
    return [];
  } catch (error) {
    if (error instanceof ScenarioError) return error.problems.map(({ pointer }) => pointer);
    throw error;
  }
};

describe('a scenario', () => {
  it('is read with its defaults', () => {
    expect(parseScenario(VALID, 'mine.yaml')).toMatchObject({
      faults: [{ at: 'vendor', from: 1_000, for: 2_000, fault: { kind: 'latency', stream: 'down' } }],
      expect: { lateBy: 250, lost: 0, doubled: 0, recoveredWithin: 10_000 },
    });
  });

  it.each([
    ['/faults/0/fault/kind', 'kind: latency', 'kind: tardiness'],
    ['/faults/0/fault/ms', 'ms: 100', 'ms: -1'],
    ['/faults/0/from', 'from: 1s', 'from: 9s'],
    ['/faults/0/at', 'at: vendor', 'at: moon'],
    ['/load/mix', 'reads: 1', 'reads: 0'],
    ['/load/pace', 'perSecond: 5', 'perSecond: 5, pace: 3'],
    ['/articles/0', "'25'", "'twenty-five'"],
    ['/name', 'name: mine', 'name: Mine!'],
    ['', 'name: mine', 'name: mine\nname: yours'],
  ])('is refused with a pointer to %s', (pointer, right, wrong) => {
    expect(problemsOf(VALID.replace(right, wrong))).toEqual([pointer]);
  });

  it('that kills the only instance is refused', () => {
    const kill = VALID.replace('at: vendor', 'at: instance').replace('{ kind: latency, ms: 100 }', '{ kind: kill }');
    expect(problemsOf(kill)).toEqual(['/faults/0/at']);
  });
});

describe('the scenarios that ship', () => {
  it('are sixteen, each valid and named as its file', () => {
    const names = shippedScenarios();
    expect(names).toHaveLength(16);
    for (const name of names) expect(readScenario(name).scenario.name).toBe(name);
  });
});
