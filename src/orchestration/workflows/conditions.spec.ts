import { describe, expect, it } from 'vitest';
import { type Condition, type Facts, holds } from './conditions.js';
import { resolve, type RunInput, type Source } from './sources.js';

const facts: Facts = {
  end: (step) => ({ id: 'passed', face: 'failed' })[step] as 'passed' | undefined,
  report: (step) =>
    step === 'id' ? { score: 61, name: 'Zoë', hits: [{ risk: 'low' }], none: null, old: true } : undefined,
  upload: (name) => name === 'selfie',
};
const input: RunInput = { reference: 'cust-1', relationship: 'prospect', expected: { firstName: 'Zoë' } };

describe('holds', () => {
  it.each<[Condition, boolean]>([
    [{ step: 'id', is: 'passed' }, true],
    [{ step: 'id', is: ['failed', 'review'] }, false],
    [{ step: 'later', is: 'passed' }, false],
    [{ step: 'id', field: 'score', atLeast: 61 }, true],
    [{ step: 'id', field: 'score', atLeast: 61.1 }, false],
    [{ step: 'id', field: 'score', atMost: 61 }, true],
    [{ step: 'id', field: 'name', atLeast: 0 }, false],
    [{ step: 'id', field: 'name', equals: 'Zoë' }, true],
    [{ step: 'id', field: 'old', oneOf: [true, 'x'] }, true],
    [{ step: 'id', field: 'hits.0.risk', equals: 'low' }, true],
    [{ step: 'id', field: 'none', present: true }, false],
    [{ step: 'face', field: 'score', present: false }, true],
    [{ step: 'id', field: 'constructor', present: true }, false],
    [{ upload: 'selfie', given: true }, true],
    [{ all: [] }, true],
    [{ any: [] }, false],
    [{ all: [{ step: 'id', is: 'passed' }, { not: { step: 'face', is: 'passed' } }] }, true],
    [
      {
        any: [
          { step: 'face', is: 'passed' },
          { upload: 'back', given: false },
        ],
      },
      true,
    ],
  ])('%j: %s', (condition, expected) => {
    expect(holds(condition, facts)).toBe(expected);
  });
});

describe('resolve', () => {
  it.each<[Source, unknown]>([
    [{ upload: 'selfie' }, { upload: 'selfie' }],
    [{ upload: 'back' }, undefined],
    [{ subject: 'reference' }, { value: 'cust-1' }],
    [{ expected: 'firstName' }, { value: 'Zoë' }],
    [{ expected: 'lastName' }, undefined],
    [{ step: 'id', field: 'score' }, { value: 61 }],
    [{ step: 'id', field: 'hits' }, undefined],
    [{ value: false }, { value: false }],
    [{ join: [{ expected: 'firstName' }, { value: 'B' }], with: ' ' }, { value: 'Zoë B' }],
    [{ join: [{ expected: 'firstName' }, { expected: 'lastName' }], with: ' ' }, undefined],
    [
      {
        firstOf: [
          { step: 'face', field: 'name' },
          { step: 'id', field: 'name' },
        ],
      },
      { value: 'Zoë' },
    ],
    [{ firstOf: [{ upload: 'back' }, { upload: 'selfie' }] }, { upload: 'selfie' }],
  ])('%j', (source, expected) => {
    expect(resolve(source, input, facts)).toEqual(expected);
  });
});
