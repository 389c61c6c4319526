import { VendorRefusal } from '../failure.js';
import { WEBHOOKS } from './fair-window.js';
import { PRIORITIES, type Priority } from './passage.js';
import { Waiting } from './waiting.js';

/** Where calls come from: a window of this instance's, or one that instances share. */
export interface BudgetSource {
  /** @returns 0 when granted, else the milliseconds before which it makes no sense to ask again */
  take(client: string, waiting: Iterable<string>, nowMs: number): number;
  refund(client: string, nowMs: number): void;
  /** Calls of this instance's in the window. */
  usedBy(client: string): number;
  used(nowMs: number): number;
  /** Told when a source that was asked has an answer. */
  onMore?: () => void;
}

export interface FairBudgetParts {
  source: BudgetSource;
  nowMs: () => number;
  longestWait: number;
  /** Calls of one client that may wait. */
  queue: number;
  /** Told of each call that is refused. */
  refused: () => void;
}

/** Clients that may wait at once. */
const MOST_CLIENTS = 1_000;

type Line = Record<Priority, Set<Waiting>>;

/**
 * Shares one of the vendor's budgets out: who is under its share is served at once; who is over waits, and of those who wait the one
 * with the least in the window comes first. What is certainly too far away is refused at once, with the time.
 */
export class FairBudget {
  readonly #parts: FairBudgetParts;
  readonly #lines = new Map<string, Line>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: FairBudgetParts) {
    this.#parts = parts;
    parts.source.onMore = () => this.#serve();
  }

  /**
   * Takes one call; undefined when it is granted at once.
   * @throws VendorRefusal `vendor-budget-exceeded`, or `vendor-timeout` when the deadline came first; nothing is taken then
   */
  take(client: string, priority: Priority, leftMs: number, signal?: AbortSignal): Promise<void> | undefined {
    const { source, nowMs } = this.#parts;
    const line = this.#lines.get(client);
    if (line === undefined) {
      const waitMs = source.take(client, this.#lines.keys(), nowMs());
      if (waitMs === 0) return undefined;
      if (waitMs > Math.min(leftMs, this.#parts.longestWait) || this.#lines.size >= MOST_CLIENTS)
        throw this.#refusal(waitMs);
    } else if (sizeOf(line) >= this.#parts.queue) throw this.#refusal(this.#parts.longestWait);
    return this.#wait(client, priority, leftMs, signal);
  }

  /** Gives back a call that was not made. */
  refund(client: string): void {
    this.#parts.source.refund(client, this.#parts.nowMs());
    if (this.#lines.size > 0) this.#serve();
  }

  used(): number {
    return this.#parts.source.used(this.#parts.nowMs());
  }

  get waiting(): number {
    let waiting = 0;
    for (const line of this.#lines.values()) waiting += sizeOf(line);
    return waiting;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(client: string, priority: Priority, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const line = this.#lines.get(client) ?? { critical: new Set(), interactive: new Set(), background: new Set() };
    this.#lines.set(client, line);
    const longestMs = this.#parts.longestWait;
    const tooLong = (): VendorRefusal => this.#refusal(longestMs);
    const waiting = new Waiting({ longestMs, leftMs, signal, tooLong }, () => {
      line[priority].delete(waiting);
      if (sizeOf(line) === 0) this.#lines.delete(client);
    });
    line[priority].add(waiting);
    this.#serve();
    return waiting.turn;
  }

  /** Lets in whoever may go now, the one with the least first, and comes again when the next may. */
  #serve(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { source, nowMs } = this.#parts;
    let nextMs = Infinity;
    const waiting = this.#inOrder([...this.#lines.keys()]);
    for (let at = 0; at < waiting.length;) {
      const client = waiting[at]!;
      const line = this.#lines.get(client);
      const waitMs = line === undefined ? Infinity : source.take(client, this.#lines.keys(), nowMs());
      if (line === undefined || waitMs > 0) {
        if (line !== undefined && waitMs > this.#parts.longestWait) this.#turnAway(line, waitMs);
        else nextMs = Math.min(nextMs, waitMs);
        at += 1;
        continue;
      }
      firstOf(line)?.letIn();
      // After each grant somebody else may be the one with the least.
      const rest = this.#inOrder(waiting.slice(at));
      waiting.splice(at, rest.length, ...rest);
    }
    if (this.#lines.size > 0 && nextMs < Infinity) this.#timer = setTimeout(() => this.#serve(), nextMs).unref();
  }

  #inOrder(clients: string[]): string[] {
    const rank = (client: string): number => (client === WEBHOOKS ? -1 : this.#parts.source.usedBy(client));
    return clients.sort((a, b) => rank(a) - rank(b));
  }

  #turnAway(line: Line, waitMs: number): void {
    for (const priority of PRIORITIES) for (const waiting of line[priority]) waiting.turnAway(this.#refusal(waitMs));
  }

  #refusal(waitMs: number): VendorRefusal {
    this.#parts.refused();
    return new VendorRefusal('vendor-budget-exceeded', 'budget.share', Math.max(1, Math.ceil(waitMs / 1_000)));
  }
}

function sizeOf(line: Line): number {
  return line.critical.size + line.interactive.size + line.background.size;
}

function firstOf(line: Line): Waiting | undefined {
  for (const priority of PRIORITIES) {
    const [first] = line[priority];
    if (first !== undefined) return first;
  }
  return undefined;
}
