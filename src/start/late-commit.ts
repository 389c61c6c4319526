import { type Answer, type Call, CallCommit } from '../platform/index.js';

/** The way out is registered before the modules that record stand; until they do, nothing can be answered. */
export class LateCommit extends CallCommit {
  #settled: CallCommit | undefined;

  settle(commit: CallCommit): void {
    this.#settled = commit;
  }

  async commit(call: Call, answer: Answer): Promise<void> {
    if (!this.#settled) throw new Error('not started');
    await this.#settled.commit(call, answer);
  }

  refused(call: Call, answer: Answer): void {
    this.#settled?.refused(call, answer);
  }
}
