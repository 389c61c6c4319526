import type { OperationClass } from '../../resilience/passage.js';
import type { ModuleWord } from '../modules.js';

export const MB = 1024 * 1024;

/** Which of the configured time-outs holds (`vendors.didit.timeouts`). */
export type TimeoutClass = OperationClass;

/** What a client must be entitled to, beside its scopes. */
export type VendorModule = 'sessions' | ModuleWord | 'businesses' | 'transactions' | 'wallet-screening';

/** One endpoint of Didit's that the gateway can call, and all that the corridor and the adapter must know of it. */
export interface VendorOperation {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Template of the path at Didit, with the last slash: without it Didit redirects, and not every method survives that. */
  readonly path: string;
  readonly timeout: TimeoutClass;
  /** Changes or bills something at the vendor: its intent is recorded before it is forwarded. */
  readonly changes: boolean;
  /** Doing it twice is the same as doing it once, so that it may be sent again after an unknown outcome. */
  readonly repeatable: boolean;
  /** Whether Didit charges for an answer; what it charges is the operator's price (`vendors.didit.prices`). */
  readonly billed: boolean;
  readonly body: 'none' | 'json' | 'multipart' | 'json-or-multipart';
  readonly answer: 'json' | 'pdf';
  /** Every one of these is needed. */
  readonly scopes: readonly string[];
  readonly module: VendorModule;
  /** Query parameters that are forwarded; others are refused or dropped by the route. */
  readonly query: readonly string[];
  /** Largest request body in bytes; 0 where there is none. */
  readonly maxUploadBytes: number;
  /** Largest answer in bytes: more is an invalid answer. */
  readonly maxAnswerBytes: number;
}

export const read = {
  method: 'GET',
  timeout: 'read',
  changes: false,
  repeatable: true,
  billed: false,
  body: 'none',
  answer: 'json',
} as const;

/** A change told in JSON. */
export const write = {
  timeout: 'write',
  changes: true,
  repeatable: false,
  billed: false,
  body: 'json',
  answer: 'json',
  query: [],
  maxUploadBytes: MB,
} as const;
