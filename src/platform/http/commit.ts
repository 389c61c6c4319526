import type { Call } from './call.js';

/** An answer about to leave. */
export interface Answer {
  status: number;
  headers: Record<string, number | string | string[] | undefined>;
  /** The body as it will be sent; undefined for a streamed one. */
  body: Buffer | string | undefined;
  bytesOut: number;
}

/** Room 10: what must be durable before the answer leaves. @throws when it cannot be made so, and then nothing leaves. */
export abstract class CallCommit {
  abstract commit(call: Call, answer: Answer): Promise<void>;

  /** The log could not be written: what is left is the instance's own journal. */
  abstract refused(call: Call, answer: Answer): void;
}
