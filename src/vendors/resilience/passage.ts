import type { Readable } from 'node:stream';
import type { PermitResult } from './breaker.js';

/** Who is served first when calls must wait: what a webhook gave rise to, what a caller waits for, the gateway's own rounds. */
export const PRIORITIES = ['critical', 'interactive', 'background'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Classes of operations by the time that they take. */
export type OperationClass = 'read' | 'write' | 'check' | 'code' | 'document' | 'screening' | 'registry';

/** Lanes of the bulkhead: checks of every kind have one of their own, since pictures must not keep reads waiting. */
export const LANES = ['read', 'write', 'check'] as const;
export type LaneName = (typeof LANES)[number];

export function laneOf(operation: OperationClass): LaneName {
  return operation === 'read' || operation === 'write' ? operation : 'check';
}

/** What the pipeline must know of an operation of a vendor's. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly timeout: OperationClass;
  readonly changes: boolean;
  readonly repeatable: boolean;
  readonly answer: 'json' | 'pdf';
}

/** An answer as the pipeline sees it. */
export interface Answered {
  status: number;
  /** The body while it still comes; the connection is busy until it ends. */
  stream?: Readable;
}

/** One attempt, as the pipeline lets it out. */
export interface Sending {
  readonly origin: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Filled in by whoever sends. */
  readonly trip: Trip;
}

/** What an attempt tells of itself beside its answer. */
export class Trip {
  /** How often the request left; two when a first key was refused. */
  sent = 0;
  /** Milliseconds that the vendor was waiting for the caller's own upload. */
  waitedForCallerMs: () => number = () => 0;
}

export type Send<T> = (sending: Sending) => Promise<T>;

export interface Wanted {
  /** Id of the client; empty for work of the gateway's own. */
  client: string;
  priority: Priority;
  /** In `Clock.monotonicMs`. */
  deadlineMs: number;
  signal: AbortSignal | undefined;
  /** What makes an equal call; undefined where none may be shared. */
  key: string | undefined;
  /** Whether the body can be sent but once. */
  spent: boolean;
}

/** One call on its way through the pipeline. */
export class Passage<T extends Answered> {
  /** How often it was sent. */
  attempts = 0;
  collapsed = false;
  /** What the last attempt told of the vendor, and whether no connection to any of its origins came about. */
  verdict: PermitResult = 'unsent';
  unreachable = false;

  constructor(
    readonly operation: Operation,
    readonly wanted: Wanted,
    readonly send: Send<T>,
  ) {}

  /** The same call on behalf of several: it ends by a signal of its own. */
  shared(signal: AbortSignal, deadlineMs: number): Passage<T> {
    return new Passage(this.operation, { ...this.wanted, signal, deadlineMs, key: undefined }, this.send);
  }
}

export type Next<T extends Answered> = (passage: Passage<T>) => Promise<T>;

/** A stage of the pipeline: lets a passage through to the next, sooner or later, once or again, or refuses it. */
export type Stage<T extends Answered> = (passage: Passage<T>, next: Next<T>) => Promise<T>;
