/** A client's call may wait for a place, and meets the vendor that much later than it was counted. */
const MARGIN_MS = 2_000;
/** When to ask again for what goes to somebody else first. */
const SOON_MS = 20;

export interface ShareSettings {
  /** Calls in a window that the vendor allows. */
  limit: number;
  windowMs: number;
  /** Share that is lent to nobody. */
  reserve: number;
  /** Share of the gateway's own work. */
  background: number;
}

/** Stands for the gateway's own work among the clients. */
export const OWN_WORK = '';
/** Stands for what webhooks gave rise to: there is no more of it than the vendor has decided, and it is late already. */
export const WEBHOOKS = '*';

export interface Shares {
  /** What all clients together may lend each other. */
  lent: number;
  own: number;
  /** What is a client's by right, whoever else asks, when so many are active. */
  of(active: number): number;
}

/** How a limit is divided: the gateway's own work has its part, nobody takes the reserve beyond its share, the rest goes by heads. */
export function sharesOf({ limit, reserve, background }: ShareSettings): Shares {
  const own = Math.max(1, Math.floor(limit * background));
  return {
    own,
    lent: Math.max(1, limit - own - Math.ceil(limit * reserve)),
    // Always room for one more than there is: who comes next must find something.
    of: (active) => Math.floor((limit - own) / Math.max(2, active)),
  };
}

function isClient(who: string): boolean {
  return who !== OWN_WORK && who !== WEBHOOKS;
}

interface Grant {
  readonly atMs: number;
  readonly client: string;
}

/**
 * The vendor's sliding window, counted here: never more than its limit in any window, and no client so much that another one who
 * comes finds nothing. Asking costs the same however many calls stand in the window.
 */
export class FairWindow {
  readonly #settings: ShareSettings;
  readonly #shares: Shares;
  readonly #spanMs: number;
  /** Grants in the window, oldest first, from `#first` on. */
  #grants: Grant[] = [];
  #first = 0;
  readonly #used = new Map<string, number>();

  constructor(settings: ShareSettings) {
    this.#settings = settings;
    this.#shares = sharesOf(settings);
    this.#spanMs = settings.windowMs + MARGIN_MS;
  }

  /** @param waiting clients that wait. @returns 0 when granted, else the milliseconds before which it makes no sense to ask again */
  take(client: string, waiting: Iterable<string>, nowMs: number): number {
    this.#expire(nowMs);
    const waitMs = this.#waitMs(client, waiting, nowMs);
    if (waitMs === 0) this.note(client, nowMs);
    return waitMs;
  }

  /** Counts a call whether or not there is room for it. */
  note(client: string, nowMs: number): void {
    this.#grants.push({ atMs: nowMs, client });
    this.#used.set(client, (this.#used.get(client) ?? 0) + 1);
  }

  /** Gives back the last call that was granted to a client, since it was not made. */
  refund(client: string): void {
    for (let at = this.#grants.length - 1; at >= this.#first; at -= 1) {
      if (this.#grants[at]?.client !== client) continue;
      this.#grants.splice(at, 1);
      this.#forget(client);
      return;
    }
  }

  usedBy(client: string): number {
    return this.#used.get(client) ?? 0;
  }

  used(nowMs: number): number {
    this.#expire(nowMs);
    return this.#grants.length - this.#first;
  }

  /** What stands in the window, oldest first. */
  grants(nowMs: number): readonly Grant[] {
    this.#expire(nowMs);
    return this.#grants.slice(this.#first);
  }

  #waitMs(client: string, waiting: Iterable<string>, nowMs: number): number {
    const { limit } = this.#settings;
    const total = this.#grants.length - this.#first;
    const mine = this.usedBy(client);
    const ownUsed = this.usedBy(OWN_WORK);
    if (client === OWN_WORK) {
      if (ownUsed >= this.#shares.own) return this.#untilOldestOf(OWN_WORK, nowMs);
      return total < limit ? 0 : this.#untilNth(0, nowMs);
    }
    const room = limit - Math.max(0, this.#shares.own - ownUsed);
    if (total >= room) return this.#untilNth(total - room, nowMs);
    if (client === WEBHOOKS) return 0;
    if (mine < this.#shares.of(this.#active(client, waiting))) return 0;
    // Beyond its share it borrows what is idle, unless somebody who has less waits.
    if (total < this.#shares.lent && !this.#isOutranked(client, mine, waiting)) return 0;
    if (total < this.#shares.lent) return SOON_MS;
    return Math.min(this.#untilNth(total - this.#shares.lent, nowMs), this.#untilOldestOf(client, nowMs));
  }

  #active(client: string, waiting: Iterable<string>): number {
    let active = this.#used.has(client) ? 0 : 1;
    for (const other of this.#used.keys()) if (isClient(other)) active += 1;
    for (const other of waiting) if (other !== client && isClient(other) && !this.#used.has(other)) active += 1;
    return active;
  }

  #isOutranked(client: string, mine: number, waiting: Iterable<string>): boolean {
    for (const other of waiting) if (other !== client && other !== OWN_WORK && this.usedBy(other) < mine) return true;
    return false;
  }

  /** Until the n-th oldest call falls out of the window. */
  #untilNth(n: number, nowMs: number): number {
    const grant = this.#grants[this.#first + n];
    return grant === undefined ? 1 : Math.max(1, grant.atMs + this.#spanMs - nowMs);
  }

  #untilOldestOf(client: string, nowMs: number): number {
    for (let at = this.#first; at < this.#grants.length; at += 1) {
      const grant = this.#grants[at];
      if (grant?.client === client) return Math.max(1, grant.atMs + this.#spanMs - nowMs);
    }
    return 1;
  }

  #expire(nowMs: number): void {
    for (;;) {
      const oldest = this.#grants[this.#first];
      if (oldest === undefined || oldest.atMs + this.#spanMs > nowMs) break;
      this.#first += 1;
      this.#forget(oldest.client);
    }
    // Moved down now and then, not at each call.
    if (this.#first > 1_024 || this.#first * 2 > this.#grants.length) {
      this.#grants = this.#grants.slice(this.#first);
      this.#first = 0;
    }
  }

  #forget(client: string): void {
    const left = this.usedBy(client) - 1;
    if (left > 0) this.#used.set(client, left);
    else this.#used.delete(client);
  }
}
