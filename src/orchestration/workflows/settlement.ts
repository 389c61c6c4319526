import { OPERATIONS } from '../../vendors/index.js';
import { type Definition, ladderOf, type StepDefinition } from './definition.js';
import { fallOf } from './plan.js';
import type { StepRow } from './run-store.js';
import type { StepEvent } from './step-states.js';
import { stepOperation } from './step-operations.js';

/** What came of an attempt. */
export type Settlement =
  | { kind: 'answered'; end: 'passed' | 'failed' | 'review'; report: unknown }
  /** The vendor does not take this request, however often it is sent. */
  | { kind: 'refused' }
  /** Nothing was sent, for want of room or budget: no fault of the vendor's. */
  | { kind: 'put-off'; afterMs: number }
  /** The vendor has certainly done nothing. */
  | { kind: 'undone'; afterMs: number }
  /** It may have done it. */
  | { kind: 'unsure'; reason: 'unsure' | 'interrupted' };

export interface Consequence {
  event: StepEvent;
  reason: string | null;
  failures: number;
  notBefore: Date | null;
}

/**
 * What an attempt's end means for its step. Every check is billed: one of unknown outcome goes down its ladder rather than to the vendor
 * again, unless the vendor keeps the answer under a key, or the definition says that twice is no harm.
 */
export function consequenceOf(
  definition: Definition,
  own: StepDefinition,
  step: StepRow,
  settlement: Settlement,
  now: Date,
): Consequence {
  const { failures } = step;
  const still = { reason: null, failures, notBefore: null };
  switch (settlement.kind) {
    case 'answered':
      return { ...still, event: `answered.${settlement.end}` };
    case 'refused':
      return { ...still, event: fallOf(definition, own), reason: 'refused' };
    case 'put-off':
      return { ...still, event: 'put-off', reason: 'put-off', notBefore: later(now, settlement.afterMs) };
    case 'undone':
      return again(definition, own, step, 'undone', settlement.afterMs, now);
    case 'unsure':
      return isRepeatable(own)
        ? again(definition, own, step, settlement.reason, 0, now)
        : { ...still, event: fallOf(definition, own), reason: settlement.reason };
    default:
      return settlement satisfies never;
  }
}

function again(
  definition: Definition,
  own: StepDefinition,
  step: StepRow,
  reason: string,
  afterMs: number,
  now: Date,
): Consequence {
  const failures = step.failures + 1;
  const { count, backoff, most } = own.retry;
  const rest = Math.min(most, backoff * 2 ** Math.min(step.failures, 20));
  if (failures <= count) return { event: 'put-off', reason, failures, notBefore: later(now, Math.max(rest, afterMs)) };
  if (ladderOf(definition, own).includes('queued'))
    return { event: 'fell-to.queued', reason, failures: count, notBefore: later(now, Math.max(most, afterMs)) };
  return { event: fallOf(definition, own), reason, failures, notBefore: null };
}

/** Whether an attempt of unknown outcome may be followed by another. */
export function isRepeatable(own: StepDefinition): boolean {
  const operation = stepOperation(own.operation);
  return (
    own.repeat || operation?.keyed === true || (operation !== undefined && OPERATIONS[operation.operation].repeatable)
  );
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + Math.max(ms, 1));
}
