import type { ContactEvent } from '../decision/contact-reports.js';
import type { Json } from '../wire/json.js';

/** A code on its way to somebody. */
export interface PendingCode {
  readonly requestId: string;
  readonly vendorData: string | null;
  readonly metadata: Json;
  /** Sandbox clock, epoch milliseconds. */
  readonly until: number;
  tries: number;
  readonly events: ContactEvent[];
}

const lifetimeMs = 5 * 60_000;
const hourMs = 3_600_000;
const maxKept = 10_000;

/** Pending codes by number or address, whoever asked for them: Didit keeps them so. */
export class OneTimeCodes {
  readonly #pending = new Map<string, PendingCode>();
  readonly #sends = new Map<string, number[]>();

  /** How many were sent there within an hour before `now`, this one included. */
  countSend(address: string, now: number): number {
    const sends = [...(this.#sends.get(address) ?? []).filter((at) => at > now - hourMs), now];
    this.#sends.set(address, sends);
    bound(this.#sends);
    return sends.length;
  }

  /** The pending code there; a further send prolongs none, and starts no second one. */
  find(address: string, now: number): PendingCode | undefined {
    const code = this.#pending.get(address);
    return code !== undefined && code.until > now ? code : undefined;
  }

  start(address: string, now: number, code: Omit<PendingCode, 'until' | 'tries'>): PendingCode {
    const pending = { ...code, until: now + lifetimeMs, tries: 0 };
    this.#pending.set(address, pending);
    bound(this.#pending);
    return pending;
  }

  end(address: string): void {
    this.#pending.delete(address);
  }

  clear(): void {
    this.#pending.clear();
    this.#sends.clear();
  }
}

const bound = (map: Map<string, unknown>): void => {
  const oldest = map.keys().next().value;
  if (map.size > maxKept && oldest !== undefined) map.delete(oldest);
};
