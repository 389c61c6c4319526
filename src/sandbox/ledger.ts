export interface LedgerEntry {
  readonly n: number;
  /** ISO instant on the wall clock. */
  readonly at: string;
  readonly operation: string;
  readonly method: string;
  /** With its query, without the origin. */
  readonly path: string;
  vendorData: string | null;
  sessionId: string | null;
  /** `pending`, then the status sent, or the fault and on which side of the work it struck. */
  outcome: string;
}

/** What the sandbox received, oldest first. Beyond `limit` the oldest are forgotten. */
export class Ledger {
  readonly #limit: number;
  #entries: LedgerEntry[] = [];
  #next = 1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(call: Pick<LedgerEntry, 'operation' | 'method' | 'path'>): LedgerEntry {
    const entry: LedgerEntry = {
      n: this.#next,
      at: new Date().toISOString(),
      ...call,
      vendorData: null,
      sessionId: null,
      outcome: 'pending',
    };
    this.#next += 1;
    this.#entries.push(entry);
    // Cut in blocks: dropping one from the front at each call would copy the whole array each time.
    if (this.#entries.length > this.#limit * 1.2) this.#entries = this.#entries.slice(-this.#limit);
    return entry;
  }

  /** `since` is the number of the last entry already seen, or an instant. */
  list(filter: { operation?: string | undefined; since?: number | Date | undefined }): {
    readonly items: readonly LedgerEntry[];
    readonly counts: Readonly<Record<string, number>>;
  } {
    const items = this.#entries.filter((entry) => {
      if (filter.operation !== undefined && entry.operation !== filter.operation) return false;
      if (filter.since instanceof Date) return Date.parse(entry.at) >= filter.since.getTime();
      return filter.since === undefined || entry.n > filter.since;
    });
    const counts: Record<string, number> = {};
    for (const { operation } of items) counts[operation] = (counts[operation] ?? 0) + 1;
    return { items: items.slice(-this.#limit), counts };
  }

  clear(): void {
    this.#entries = [];
  }

  reset(): void {
    this.clear();
    this.#next = 1;
  }
}
