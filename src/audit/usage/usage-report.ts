import { type Cost, costOf, type Prices } from './cost.js';
import { type Latency, latencyOf } from './latency.js';
import type { Group, UsageRow } from './usage-store.js';

/** Figures of one group. Durations are in µs. */
export interface Figures {
  calls: number;
  refusals: number;
  latency: Latency | null;
  /** Where the time of the calls went: with the vendor (the last vendor call of each) and here. */
  time: { totalUs: number; vendorUs: number; ownUs: number };
  /** `cost` is there once a price is set. */
  vendor: { calls: number; failures: number; latency: Latency | null; totalUs: number; cost?: Cost };
  webhooks: number;
}

/** Members that name the group, and its figures. */
export type UsageItem = Record<string, string | number | null | object> & Figures;

class Sums {
  calls = 0;
  refusals = 0;
  readonly #latency = new Map<number, number>();
  totalUs = 0;
  vendorUs = 0;
  vendorCalls = 0;
  failures = 0;
  vendorTotalUs = 0;
  readonly #vendorLatency = new Map<number, number>();
  readonly #answered = new Map<string, number>();
  webhooks = 0;

  add(row: UsageRow): void {
    const count = Number(row.count);
    if (row.part === 'call') {
      this.calls += count;
      if (row.denied) this.refusals += count;
      this.totalUs += Number(row.total_us);
      this.vendorUs += Number(row.vendor_us);
      more(this.#latency, row.bucket, count);
    } else if (row.part === 'counted') {
      this.calls += count;
      this.refusals += count;
    } else if (row.part === 'vendor') {
      this.vendorCalls += count;
      this.vendorTotalUs += Number(row.total_us);
      more(this.#vendorLatency, row.bucket, count);
      if (row.answered !== '') more(this.#answered, row.answered, count);
    } else if (row.part === 'failure') this.failures += count;
    else this.webhooks += count;
  }

  figures(prices: Prices): Figures {
    const { calls, refusals, totalUs, vendorUs, webhooks, failures } = this;
    const cost = costOf(this.#answered, prices);
    return {
      calls,
      refusals,
      latency: latencyOf(this.#latency),
      time: { totalUs, vendorUs, ownUs: Math.max(0, totalUs - vendorUs) },
      vendor: {
        calls: this.vendorCalls,
        failures,
        latency: latencyOf(this.#vendorLatency),
        totalUs: this.vendorTotalUs,
        ...(cost === null ? {} : { cost }),
      },
      webhooks,
    };
  }
}

function more<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** What an item is called, by what it is grouped by. */
const NAME: Record<Group, (row: UsageRow) => Record<string, string | number | null>> = {
  client: ({ key }) => ({ client: key === '' ? null : key }),
  operation: ({ key, part }) => ({ operation: key, side: sideOf(part) }),
  outcome: ({ key, part, status }) => ({ outcome: key === '' ? 'answered' : key, status, side: sideOf(part) }),
  hour: ({ key }) => ({ hour: key }),
};

function sideOf(part: UsageRow['part']): 'gateway' | 'vendor' {
  return part === 'call' || part === 'counted' ? 'gateway' : 'vendor';
}

/** Groups in the order of the time spent, the longest first; hours in theirs. */
export function usageReport(
  by: Group,
  rows: readonly UsageRow[],
  prices: Prices,
): { items: UsageItem[]; total: Figures } {
  const groups = new Map<string, { name: Record<string, string | number | null>; sums: Sums }>();
  const total = new Sums();
  for (const row of rows) {
    const name = NAME[by](row);
    const key = JSON.stringify(name);
    const group = groups.get(key) ?? { name, sums: new Sums() };
    groups.set(key, group);
    group.sums.add(row);
    total.add(row);
  }
  const spent = ({ sums }: { sums: Sums }): number => Math.max(sums.totalUs, sums.vendorTotalUs);
  const ordered = [...groups].sort(
    ([a, left], [b, right]) => (by === 'hour' ? 0 : spent(right) - spent(left)) || (a < b ? -1 : 1),
  );
  return {
    items: ordered.map(([, { name, sums }]) => ({ ...name, ...sums.figures(prices) })),
    total: total.figures(prices),
  };
}
