import { describe, expect, it } from 'vitest';
import { configSchema } from './schema.js';

const onboarding = (fallback: unknown) => configSchema.safeParse({ workflows: { onboarding: { fallback } } });
const didit = (fallback: unknown) => configSchema.safeParse({ vendors: { didit: { fallback } } });
const issue = (result: ReturnType<typeof onboarding>) =>
  result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('fallback ladders in the settings', () => {
  it('queue a workflow and answer a decision from the cache unless something else is said', () => {
    const config = configSchema.parse({});
    expect(config.workflows.onboarding.fallback).toEqual(['queued']);
    expect(config.vendors.didit.fallback).toEqual({ 'session.decision': ['cached'] });
  });

  it.each([[[]], [['queued']], [['manual']], [['queued', 'manual']]])('take %j of a workflow', (rungs) => {
    expect(onboarding(rungs).data?.workflows.onboarding.fallback).toEqual(rungs);
  });

  it('never answer a new identity check from a cache', () => {
    expect(issue(onboarding(['cached', 'queued']))).toEqual([
      'workflows.onboarding.fallback: must not hold cached: a new identity check is never answered from a cache',
    ]);
    for (const operation of ['session.create', 'aml', 'id-verification', 'session.list', 'no.such'])
      expect(issue(didit({ [operation]: ['cached'] }))).toEqual([
        expect.stringMatching(`^vendors\\.didit\\.fallback\\.${operation}: has no ladder`),
      ]);
  });

  it('go down and hold each rung once', () => {
    for (const rungs of [
      ['manual', 'queued'],
      ['queued', 'queued'],
    ])
      expect(issue(onboarding(rungs))).toEqual([expect.stringContaining('must go down the ladder')]);
    expect(onboarding(['sometimes']).success).toBe(false);
    expect(issue(didit({ 'session.decision': ['queued'] }))).toEqual([
      'vendors.didit.fallback.session.decision: can hold cached only',
    ]);
  });
});
