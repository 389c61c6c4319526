import { describe, expect, it } from 'vitest';
import type { StepName, StepStatus } from '../../vendors/index.js';
import { advance, firstSteps } from './steps.js';

const at = (second: number) => new Date(Date.UTC(2026, 2, 10, 8, 0, second));
const seen = (name: StepName, status: StepStatus) => [{ name, status }];

describe('advance', () => {
  it('begins with every step waiting', () => {
    expect(firstSteps()).toEqual(
      ['id-verification', 'passive-liveness', 'face-match', 'aml-screening'].map((name) => ({
        name,
        status: 'waiting',
        rung: 'fresh',
      })),
    );
  });

  it('keeps the instants at which it saw a step begin and end', () => {
    const running = advance(firstSteps(), seen('id-verification', 'running'), at(1));
    const passed = advance(running, seen('id-verification', 'passed'), at(2));
    const later = advance(passed, seen('id-verification', 'passed'), at(3));
    expect(later[0]).toEqual({
      name: 'id-verification',
      status: 'passed',
      rung: 'fresh',
      startedAt: at(1).toISOString(),
      endedAt: at(2).toISOString(),
    });
    expect(later.slice(1)).toEqual(firstSteps().slice(1));
  });

  it('claims no beginning that it did not see', () => {
    const [step] = advance(firstSteps(), seen('id-verification', 'review'), at(1));
    expect(step).toMatchObject({ status: 'review', endedAt: at(1).toISOString() });
    expect(step).not.toHaveProperty('startedAt');
  });

  it('gives a skipped step no instants', () => {
    const [step] = advance(firstSteps(), seen('id-verification', 'skipped'), at(1));
    expect(step).toEqual({ name: 'id-verification', status: 'skipped', rung: 'fresh' });
  });

  it('opens a step again that has to be done again', () => {
    const failed = advance(firstSteps(), seen('face-match', 'failed'), at(1));
    expect(advance(failed, seen('face-match', 'waiting'), at(2))[2]).toEqual({
      name: 'face-match',
      status: 'waiting',
      rung: 'fresh',
    });
  });

  it('takes up the steps of further modules when it first sees them', () => {
    const first = advance(firstSteps(), seen('proof-of-address', 'waiting'), at(1));
    expect(first.slice(4)).toEqual([{ name: 'proof-of-address', status: 'waiting', rung: 'fresh' }]);
    const running = advance(
      first,
      [...seen('proof-of-address', 'running'), ...seen('nfc-verification', 'passed')],
      at(2),
    );
    expect(running.slice(4)).toEqual([
      { name: 'proof-of-address', status: 'running', rung: 'fresh', startedAt: at(2).toISOString() },
      { name: 'nfc-verification', status: 'passed', rung: 'fresh', endedAt: at(2).toISOString() },
    ]);
    expect(advance(running, [], at(3))).toEqual(running);
  });
});
