import { VendorFailure, type VendorFailureOptions } from '../../failure.js';
import type { ProblemCode } from '../../../platform/index.js';
import type { BreakerSettings } from '../breaker.js';
import { type Answered, type Operation, type OperationClass, Passage, type Send, type Wanted } from '../passage.js';
import type { PipelineEars, PipelineSettings } from '../pipeline.js';

export const BREAKER: BreakerSettings = {
  window: 10_000,
  minimumCalls: 10,
  failureRatio: 0.5,
  slowRatio: 0.8,
  open: 1_000,
  longestOpen: 5_000,
  probes: 2,
  probeEvery: 3_000,
};

const times = (read: number, write: number, check: number): Readonly<Record<OperationClass, number>> => ({
  read,
  write,
  check,
  code: check,
  document: check,
  screening: check,
  registry: check,
});

export const SETTINGS: PipelineSettings = {
  breaker: { ...BREAKER, slow: times(3_000, 5_000, 30_000) },
  retries: { most: 2, firstDelay: 100, longestDelay: 2_000, share: 0.2, burst: 10 },
  bulkhead: { read: 4, write: 4, check: 2, queue: 8, longestWait: 2_000 },
  timeouts: times(10_000, 15_000, 60_000),
  origins: ['https://one.vendor.test'],
};

export const READ: Operation = {
  name: 'session.decision',
  method: 'GET',
  timeout: 'read',
  changes: false,
  repeatable: true,
  answer: 'json',
};
export const LIST: Operation = { ...READ, name: 'session.list' };
export const CREATE: Operation = {
  name: 'session.create',
  method: 'POST',
  timeout: 'write',
  changes: true,
  repeatable: false,
  answer: 'json',
};
export const CHECK: Operation = { ...CREATE, name: 'passive-liveness', timeout: 'check' };

export const EARS: PipelineEars = {
  breaker: () => undefined,
  retried: () => undefined,
  collapsed: () => undefined,
  shed: () => undefined,
};

export function wanted(over: Partial<Wanted> = {}): Wanted {
  const none = { signal: undefined, key: undefined, spent: false };
  return { client: 'bank', priority: 'interactive', deadlineMs: Infinity, ...none, ...over };
}

export function passageOf<T extends Answered>(
  operation: Operation,
  over: Partial<Wanted> = {},
  send: Send<T> = () => Promise.reject(new Error('this passage is not sent')),
): Passage<T> {
  return new Passage(operation, wanted(over), send);
}

export function failing(
  problem: ProblemCode = 'vendor-error',
  over: Partial<VendorFailureOptions> = {},
): VendorFailure {
  return new VendorFailure(problem, { outcome: 'unknown', status: 500, reason: 'status.500', ...over });
}

/** What never comes about: no connection. */
export const unreachable = (): VendorFailure =>
  failing('vendor-error', { outcome: 'none', status: 0, reason: 'transport.ECONNREFUSED' });
