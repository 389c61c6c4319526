import type { IncomingHttpHeaders } from 'node:http';
import type { LedgerEntry } from '../ledger.js';
import type { Session } from '../sessions/session.js';
import type { Answer } from '../wire/answers.js';
import type { World } from '../world.js';
import type { RateScope } from './rate-limits.js';

/** One call of an operation. */
export interface Call {
  /** Path and query as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly peer: string;
  /** What the placeholders of the path stand for, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The session that the path names; undefined where it names none. */
  readonly session: Session | undefined;
  /** Where the handler tells whom the call was about. */
  readonly entry: LedgerEntry;
}

/** One row of the table in `operations.ts`. */
export interface Operation {
  /** As faults and the ledger name it. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `{id}` stands for the lower-case UUID of a session, the only form that Didit's router takes, `{uuid}` for that of anything else. */
  readonly path: string;
  /** Counters it falls under, in the order in which they are asked. */
  readonly scopes: readonly RateScope[];
  /** How it says that the balance is too low. */
  readonly noCredit: 'detail 400' | 'detail 403' | 'error 403';
  readonly handle: (call: Call, world: World) => Answer | Promise<Answer>;
}
