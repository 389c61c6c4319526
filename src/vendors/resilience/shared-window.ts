import { randomUUID } from 'node:crypto';
import type { Redis } from 'iovalkey';
import type { BudgetSource } from './fair-budget.js';
import { FairWindow, OWN_WORK, type ShareSettings, sharesOf } from './fair-window.js';

/** A lease is for so small a part of the limit: few enough to share, many enough that not every call asks. */
const PARTS = 100;
/** How long leased calls may be made; the shared window is that much longer, so that the vendor never sees more than its limit. */
const LEASE_MS = 1_000;
const MARGIN_MS = 2_000;
/** How long this instance goes on by itself after Valkey failed. */
const AWAY_MS = 1_000;
/** When an answer that is under way is asked for again. */
const SOON_MS = 50;
const MOST_LEASES = 10_000;

/**
 * The shares of `FairWindow`, reckoned over all instances in one step. Members are `client|instance|calls|id`, their score the server's
 * time. Answers with what is granted, the milliseconds before which it makes no sense to ask again, and how many instances take part.
 */
const LEASE = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local span, limit, lent, own, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local client, instance, id = ARGV[6], ARGV[7], ARGV[8]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
local total, used, clients, instances, count = 0, {}, 0, 1, {}
local entries = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #entries, 2 do
  local who, whose, calls = string.match(entries[at], '^([^|]*)|([^|]*)|(%d+)|')
  if used[who] == nil and who ~= '' and who ~= '*' then clients = clients + 1 end
  used[who] = (used[who] or 0) + calls
  total = total + calls
  if whose ~= instance and count[whose] == nil then count[whose] = true; instances = instances + 1 end
end
local mine, ours = used[client] or 0, used[''] or 0
local granted
if client == '' then
  granted = math.min(want, own - mine, limit - total)
else
  if used[client] == nil then clients = clients + 1 end
  local share = math.floor((limit - own) / math.max(2, clients))
  local room = limit - math.max(0, own - ours) - total
  granted = math.min(want, room)
  if client ~= '*' then granted = math.min(granted, math.max(lent - total, share - mine)) end
end
local wait = 0
if granted > 0 then
  redis.call('ZADD', KEYS[1], now, client .. '|' .. instance .. '|' .. granted .. '|' .. id)
  redis.call('PEXPIRE', KEYS[1], span)
else
  granted = 0
  wait = span
  if entries[2] then wait = math.max(1, entries[2] + span - now) end
end
return {granted, wait, instances, total + granted}
`;

interface Lease {
  left: number;
  untilMs: number;
  /** Nothing to be had before. */
  emptyUntilMs: number;
  asking: boolean;
}

/**
 * A vendor's budget that instances share through Valkey: each leases a few calls at a time for each client, so that a call makes no
 * round trip. While Valkey is away, an instance lives on its part of the limit, by the number of instances that were seen last.
 */
export class SharedWindow implements BudgetSource {
  onMore?: () => void;
  readonly #valkey: Redis;
  readonly #key: string;
  readonly #settings: ShareSettings;
  readonly #nowMs: () => number;
  readonly #instance = randomUUID();
  readonly #leases = new Map<string, Lease>();
  /** What this instance has taken, for the time when it has to go on alone. */
  readonly #local: FairWindow;
  #alone: FairWindow;
  #instances = 1;
  #awayUntilMs = 0;

  constructor(valkey: Redis, name: string, settings: ShareSettings, nowMs: () => number) {
    this.#valkey = valkey;
    this.#key = `gatehouse:budget:${name}`;
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#local = new FairWindow(settings);
    this.#alone = new FairWindow(settings);
  }

  take(client: string, waiting: Iterable<string>, nowMs: number): number {
    if (nowMs < this.#awayUntilMs) {
      const waitMs = this.#alone.take(client, waiting, nowMs);
      if (waitMs === 0) this.#local.note(client, nowMs);
      return waitMs;
    }
    const lease = this.#leaseOf(client);
    if (lease.left > 0 && nowMs < lease.untilMs) {
      lease.left -= 1;
      this.#local.note(client, nowMs);
      return 0;
    }
    if (nowMs < lease.emptyUntilMs) return lease.emptyUntilMs - nowMs;
    if (!lease.asking) void this.#ask(client, lease);
    return SOON_MS;
  }

  refund(client: string, nowMs: number): void {
    this.#local.refund(client);
    if (nowMs < this.#awayUntilMs) this.#alone.refund(client);
    else this.#leaseOf(client).left += 1;
  }

  usedBy(client: string): number {
    return this.#local.usedBy(client);
  }

  used(nowMs: number): number {
    return this.#local.used(nowMs);
  }

  async #ask(client: string, lease: Lease): Promise<void> {
    lease.asking = true;
    const { limit, windowMs } = this.#settings;
    const { lent, own } = sharesOf(this.#settings);
    const want = client === OWN_WORK ? 1 : Math.max(1, Math.floor(limit / PARTS));
    const span = windowMs + LEASE_MS + MARGIN_MS;
    try {
      const answer = await this.#valkey.eval(
        LEASE,
        1,
        this.#key,
        ...[span, limit, lent, own, want].map(String),
        client,
        this.#instance,
        randomUUID(),
      );
      const [granted = 0, waitMs = 0, instances = 1] = (answer as unknown[]).map(Number);
      this.#instances = instances;
      const nowMs = this.#nowMs();
      lease.left = granted;
      lease.untilMs = nowMs + LEASE_MS;
      lease.emptyUntilMs = granted > 0 ? 0 : nowMs + waitMs;
    } catch {
      this.#goAlone(this.#nowMs());
    }
    lease.asking = false;
    this.onMore?.();
  }

  #goAlone(nowMs: number): void {
    if (this.#awayUntilMs === 0 || nowMs - this.#awayUntilMs > AWAY_MS) {
      const limit = Math.max(1, Math.floor(this.#settings.limit / this.#instances));
      this.#alone = new FairWindow({ ...this.#settings, limit });
      for (const { client, atMs } of this.#local.grants(nowMs)) this.#alone.note(client, atMs);
    }
    this.#awayUntilMs = nowMs + AWAY_MS;
  }

  #leaseOf(client: string): Lease {
    const known = this.#leases.get(client);
    if (known !== undefined) return known;
    if (this.#leases.size >= MOST_LEASES) {
      const [oldest] = this.#leases.keys();
      if (oldest !== undefined) this.#leases.delete(oldest);
    }
    const lease = { left: 0, untilMs: 0, emptyUntilMs: 0, asking: false };
    this.#leases.set(client, lease);
    return lease;
  }
}
