import { describe, expect, it } from 'vitest';
import { checkDefinition } from './checker.js';
import { definitionSchema } from './definition.js';
import { draftSchema } from './schemas.js';

const step = (name: string, more: object = {}) => ({
  name,
  operation: 'aml',
  input: { full_name: { expected: 'firstName' } },
  ...more,
});
const flow = (steps: object[], more: object = {}) => ({ steps, outcome: [{ is: 'approved' }], ...more });
const faults = (written: object): string[] =>
  checkDefinition(definitionSchema.parse(written)).map(({ pointer, message }) => `${pointer} ${message}`);

describe('checkDefinition', () => {
  it('has nothing against branches that meet again', () => {
    const written = flow(
      [
        step('a'),
        step('b', { after: ['a'], when: { step: 'a', is: 'passed' } }),
        step('c', { after: ['a'], when: { not: { step: 'a', field: 'score', atLeast: 60 } } }),
        step('d', {
          after: ['b', 'c'],
          when: {
            any: [
              { step: 'a', is: 'review' },
              { step: 'c', is: 'skipped' },
            ],
          },
        }),
      ],
      { outcome: [{ when: { step: 'd', is: ['passed'] }, is: 'approved' }, { is: 'declined' }] },
    );
    expect(faults(written)).toEqual([]);
  });

  it.each([
    ['a name twice', flow([step('a'), step('a')]), '/steps/1/name is the name of an earlier step, too'],
    [
      'an unknown step to wait for',
      flow([step('a', { after: ['z'] })]),
      '/steps/0/after/0 names no step of this workflow',
    ],
    ['a cycle', flow([step('a', { after: ['b'] }), step('b', { after: ['a'] })]), '/steps/0/after closes a cycle'],
    [
      'a step behind a cycle',
      flow([step('a', { after: ['a'] }), step('b', { after: ['a'] })]),
      '/steps/1/after stands behind a cycle and is never reached',
    ],
    [
      'a condition on an unknown step',
      flow([step('a', { when: { step: 'z', is: 'passed' } })]),
      '/steps/0/when/step names no step of this workflow',
    ],
    [
      'a condition on what need not have ended',
      flow([step('a'), step('b', { when: { all: [{ step: 'a', is: 'passed' }] } })]),
      '/steps/1/when/all/0/step names a step that need not have ended by then',
    ],
    [
      'a step that is never reached',
      flow([
        step('a'),
        step('b', {
          after: ['a'],
          when: {
            all: [
              { step: 'a', is: 'passed' },
              { step: 'a', is: 'failed' },
            ],
          },
        }),
      ]),
      '/steps/1/when can never hold, so that the step is never reached',
    ],
    [
      'a step that waits for one that is never skipped',
      flow([step('a'), step('b', { after: ['a'], when: { step: 'a', is: 'skipped' } })]),
      '/steps/1/when can never hold, so that the step is never reached',
    ],
    [
      'an unknown operation',
      flow([step('a', { operation: 'tea' })]),
      '/steps/0/operation is no operation that a step can use',
    ],
    ['a missing member', flow([step('a', { input: {} })]), '/steps/0/input needs full_name'],
    [
      'a member that nobody takes',
      flow([step('a', { input: { full_name: { value: 'x' }, constructor: { value: 'y' } } })]),
      '/steps/0/input/constructor is nothing that aml takes',
    ],
    [
      'an unknown upload',
      flow([step('a', { operation: 'passive-liveness', input: { user_image: { upload: 'selfie' } } })]),
      '/steps/0/input/user_image/upload names no upload of this workflow',
    ],
    [
      'an upload that no step uses',
      flow([step('a')], { uploads: { selfie: {} } }),
      '/uploads/selfie is used by no step',
    ],
    [
      'a picture for a text',
      flow([step('a', { input: { full_name: { upload: 'selfie' } } })], { uploads: { selfie: {} } }),
      '/steps/0/input/full_name takes a value and no upload',
    ],
    [
      'a type that the operation does not take',
      flow([step('a', { operation: 'passive-liveness', input: { user_image: { upload: 'selfie' } } })], {
        uploads: { selfie: { mediaTypes: ['application/pdf'] } },
      }),
      '/uploads/selfie/mediaTypes /steps/0/input/user_image takes no application/pdf',
    ],
    [
      'a cached answer to a new check',
      flow([step('a', { fallback: ['cached', 'manual'] })]),
      '/steps/0/fallback/0 a new check is never answered from what is kept',
    ],
    [
      'an outcome that is not total',
      flow([step('a')], { outcome: [{ when: { step: 'a', is: 'passed' }, is: 'approved' }] }),
      '/outcome is not total: the last rule must hold without a condition',
    ],
    [
      'a rule that is never reached',
      flow([step('a')], { outcome: [{ is: 'approved' }, { is: 'declined' }] }),
      '/outcome/1 stands behind a rule that always holds',
    ],
    [
      'a hosted session beside another step',
      flow([step('a'), { name: 'b', operation: 'session.create' }]),
      '/steps/1 a hosted session is the only step of its workflow, without uploads',
    ],
    [
      'a hosted session with an outcome of its own',
      flow([{ name: 'b', operation: 'session.create' }]),
      '/outcome/0/is a hosted session ends as-vendor',
    ],
  ])('tells of %s', (_, written, fault) => {
    expect(faults(written)).toContain(fault);
  });
});

describe('the form of a draft', () => {
  const pointers = (definition: unknown): string[] => {
    const parsed = draftSchema.safeParse({ name: 'mine', definition });
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.map((part) => `/${String(part)}`).join(''));
  };

  it('keeps what was written as it was written', () => {
    const definition = flow([step('a', { timeout: '5s' })]);
    expect(draftSchema.parse({ name: 'mine', definition }).definition).toBe(definition);
  });

  it.each([
    [{}, '/definition/steps'],
    [flow([step('A')]), '/definition/steps/0/name'],
    [flow([step('a', { timeout: 5 })]), '/definition/steps/0/timeout'],
    [flow([step('a', { when: { step: 'a', is: 'fine' } })]), '/definition/steps/0/when/is'],
    [
      flow([step('a', { when: { all: [{ not: { step: 'a', field: 'a b', present: true } }] } })]),
      '/definition/steps/0/when/all/0/not/field',
    ],
    [flow([step('a', { when: { step: 'a', field: 'score' } })]), '/definition/steps/0/when'],
    [flow([step('a', { when: { code: 'process.exit()' } })]), '/definition/steps/0/when/step'],
    [flow([step('a', { input: { full_name: { script: 'x' } } })]), '/definition/steps/0/input/full_name'],
    [flow([step('a', { fallback: ['manual', 'manual'] })]), '/definition/steps/0/fallback'],
    [flow([step('a')], { outcome: [{ is: 'maybe' }] }), '/definition/outcome/0/is'],
  ])('points at what is wrong in case %#', (definition, pointer) => {
    expect(pointers(definition)).toContain(pointer);
  });
});

describe('the form of a definition', () => {
  const refused = (definition: object): string[] =>
    draftSchema
      .safeParse({ name: 'w', definition })
      .error?.issues.map(({ path, message }) => `/${path.join('/')} ${message}`) ?? [];

  it.each([
    [
      'an attempt longer than a timer runs',
      flow([step('a', { timeout: '25d' })]),
      '/steps/0/timeout must be at most 24d',
    ],
    ['a run beyond all calendars', flow([step('a')], { timeout: '99999999d' }), '/timeout must be at most 366d'],
    [
      'uploads beyond all calendars',
      flow([step('a')], { uploadWithin: '99999999d' }),
      '/uploadWithin must be at most 366d',
    ],
    [
      'a rest beyond all calendars',
      flow([step('a', { retry: { most: '99999999d' } })]),
      '/steps/0/retry/most must be at most 366d',
    ],
    [
      'a ladder that goes up',
      flow([step('a')], { fallback: ['manual', 'queued'] }),
      '/fallback must go down the ladder cached, queued, manual, each rung at most once',
    ],
  ])('refuses %s', (_, definition, fault) => {
    expect(refused(definition)).toEqual([`/definition${fault}`]);
  });
});
