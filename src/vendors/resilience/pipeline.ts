import type { Readable } from 'node:stream';
import { VendorFailure, VendorRefusal } from '../failure.js';
import { type BreakerChange, Breakers } from './breakers.js';
import type { BreakerSettings } from './breaker.js';
import { Bulkhead, type BulkheadSettings } from './bulkhead.js';
import { collapse, TIME_IS_OVER } from './collapse.js';
import type { FairBudget } from './fair-budget.js';
import { OWN_WORK, WEBHOOKS } from './fair-window.js';
import { Origins } from './origins.js';
import {
  type Answered,
  laneOf,
  type Next,
  type Operation,
  type OperationClass,
  Passage,
  type Priority,
  type Send,
  type Stage,
  Trip,
  type Wanted,
} from './passage.js';
import { retry, type RetrySettings } from './retry.js';
import { isUnreachable, verdictOf } from './verdict.js';

export interface PipelineSettings {
  breaker: BreakerSettings & { slow: Readonly<Record<OperationClass, number>> };
  retries: RetrySettings;
  bulkhead: BulkheadSettings;
  timeouts: Readonly<Record<OperationClass, number>>;
  origins: readonly string[];
}

/** Told of what the pipeline does. Must be quick and must not throw. */
export interface PipelineEars {
  breaker(change: BreakerChange): void;
  retried(operation: string): void;
  collapsed(): void;
  shed(priority: Priority): void;
}

export interface PipelineParts {
  settings: PipelineSettings;
  nowMs: () => number;
  /** The vendor's budgets that one call of an operation takes from. */
  budgetsOf: (operation: Operation) => readonly FairBudget[];
  ears: PipelineEars;
}

/** Every call to one vendor goes through here, stage by stage. */
export class Pipeline<T extends Answered> {
  readonly breakers: Breakers;
  readonly bulkhead: Bulkhead;
  readonly origins: Origins;
  readonly #parts: PipelineParts;
  readonly #chain: Next<T>;

  constructor(parts: PipelineParts) {
    const { settings, nowMs, ears } = parts;
    this.#parts = parts;
    this.breakers = new Breakers({ settings: settings.breaker, nowMs, onChange: (change) => ears.breaker(change) });
    this.bulkhead = new Bulkhead(settings.bulkhead, (priority) => ears.shed(priority));
    this.origins = new Origins(settings.origins);
    const longestMs = (passage: Passage<Answered>): number => settings.timeouts[passage.operation.timeout];
    // The order is the design: what is refused costs nothing behind it, a wait before a repeat holds no place and no budget.
    this.#chain = composed<T>(
      [
        ['collapse of equal reads', collapse({ nowMs, longestMs, collapsed: () => ears.collapsed() })],
        ['open breakers refuse early', this.#refuse],
        ['repeats', retry({ settings: settings.retries, nowMs, retried: (operation) => ears.retried(operation) })],
        ['the vendor’s budget', this.#budget],
        ['bulkhead and shedding', this.#place],
        ['breaker', this.#permit],
      ],
      (passage) => this.#attempt(passage),
    );
  }

  /**
   * Makes one call. It ends before its deadline and within the time-out of its class, repeats and waits among it.
   * @throws VendorFailure as the vendor failed; VendorRefusal `vendor-unavailable`, `vendor-budget-exceeded`, `overloaded` or
   * `vendor-timeout` when it was not let out
   */
  async run(
    operation: Operation,
    wanted: Wanted,
    send: Send<T>,
  ): Promise<{ answer: T; attempts: number; collapsed: boolean }> {
    const latestMs = this.#parts.nowMs() + this.#parts.settings.timeouts[operation.timeout];
    const deadlineMs = Math.min(wanted.deadlineMs, latestMs);
    const passage = new Passage(operation, { ...wanted, deadlineMs }, send);
    try {
      const answer = await this.#chain(passage);
      return { answer, attempts: passage.attempts, collapsed: passage.collapsed };
    } catch (error) {
      if (!(error instanceof VendorFailure) || error instanceof VendorRefusal) throw error;
      throw error.attempts === passage.attempts ? error : error.after(passage.attempts);
    }
  }

  readonly #refuse: Stage<T> = (passage, next) => {
    this.breakers.check(passage.operation.name);
    return next(passage);
  };

  readonly #budget: Stage<T> = async (passage, next) => {
    const { priority, signal } = passage.wanted;
    const client = payerOf(passage.wanted);
    const taken: FairBudget[] = [];
    try {
      for (const budget of this.#parts.budgetsOf(passage.operation)) {
        const turn = budget.take(client, priority, this.#leftMs(passage), signal);
        if (turn !== undefined) await turn;
        taken.push(budget);
      }
      return await next(passage);
    } catch (error) {
      if (error instanceof VendorRefusal) for (const budget of taken) budget.refund(client);
      throw error;
    }
  };

  readonly #place: Stage<T> = async (passage, next) => {
    const of = laneOf(passage.operation.timeout);
    const { priority, signal } = passage.wanted;
    const who = payerOf(passage.wanted);
    const turn = this.bulkhead.enter(of, { who, priority, leftMs: this.#leftMs(passage), signal });
    if (turn !== undefined) await turn;
    let stream: Readable | undefined;
    try {
      const answer = await next(passage);
      stream = answer.stream;
      return answer;
    } finally {
      // A body that still comes keeps its connection busy.
      if (stream === undefined || stream.destroyed) this.bulkhead.leave(of, who);
      else stream.once('close', () => this.bulkhead.leave(of, who));
    }
  };

  readonly #permit: Stage<T> = async (passage, next) => {
    const { operation, wanted } = passage;
    const pass = this.breakers.enter(operation.name);
    try {
      return await next(passage);
    } catch (error) {
      if (error instanceof VendorFailure && error.problem === 'vendor-unavailable')
        this.breakers.pause(operation.name, (error.retryAfterSeconds ?? 1) * 1_000);
      throw error;
    } finally {
      this.breakers.leave(pass, passage.verdict, wanted.client, passage.unreachable);
    }
  };

  async #attempt(passage: Passage<T>): Promise<T> {
    const { operation, wanted } = passage;
    const startedMs = this.#parts.nowMs();
    const leftMs = wanted.deadlineMs - startedMs;
    passage.verdict = 'unsent';
    passage.unreachable = false;
    if (leftMs <= 0) throw new VendorRefusal('vendor-timeout', 'the deadline has passed');
    if (isGone(wanted)) throw new VendorRefusal('vendor-timeout', 'the call was given up');
    const origin = this.origins.pick(startedMs);
    const trip = new Trip();
    let failure: unknown;
    try {
      return await passage.send({ origin: origin.url, timeoutMs: leftMs, signal: wanted.signal, trip });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      passage.attempts += trip.sent;
      const nowMs = this.#parts.nowMs();
      const course = { operation: operation.timeout, trip, elapsedMs: nowMs - startedMs, gone: isAbandoned(wanted) };
      const { breaker, timeouts } = this.#parts.settings;
      passage.verdict = verdictOf(failure, course, { slow: breaker.slow, timeouts });
      this.origins.leave(origin, passage.verdict, nowMs);
      passage.unreachable = isUnreachable(failure) && this.origins.isAlone(origin, nowMs);
    }
  }

  #leftMs(passage: Passage<T>): number {
    return passage.wanted.deadlineMs - this.#parts.nowMs();
  }
}

function isGone({ signal }: Wanted): boolean {
  return signal?.aborted === true;
}

function isAbandoned({ signal }: Wanted): boolean {
  return signal?.aborted === true && signal.reason !== TIME_IS_OVER;
}

/** Whose share of the vendor's budget a call takes from. */
function payerOf({ client, priority }: Wanted): string {
  if (priority === 'critical') return WEBHOOKS;
  return priority === 'background' ? OWN_WORK : client;
}

/** A chain of named stages, the first outermost. */
function composed<T extends Answered>(
  stages: readonly (readonly [name: string, stage: Stage<T>])[],
  last: Next<T>,
): Next<T> {
  return stages.reduceRight<Next<T>>(
    (next, [, stage]) =>
      (passage) =>
        stage(passage, next),
    last,
  );
}
