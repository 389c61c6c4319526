import type { Queries } from '../checkpoints/log-store.js';

export const GROUPS = ['client', 'operation', 'outcome', 'hour'] as const;
export type Group = (typeof GROUPS)[number];

/** Of one group: how often, in one bucket of duration. */
export interface UsageRow {
  key: string;
  /** Status of the answer where the group is by outcome, else 0. */
  status: number;
  part: 'call' | 'vendor' | 'failure' | 'counted' | 'webhook';
  denied: boolean;
  /** The operation where the vendor answered well, which is what it bills; '' elsewhere. */
  answered: string;
  bucket: number;
  count: string;
  total_us: string;
  vendor_us: string;
}

/** What a group is told apart by. A route and a vendor operation are never the same: `part` says which one it is. */
const KEY: Record<Group, string> = {
  client: 'client',
  operation: 'operation',
  outcome: 'outcome',
  hour: `to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00.000Z"')`,
};

const rowsSql = (by: Group): string => `
  SELECT ${KEY[by]} AS key, ${by === 'outcome' ? 'status' : '0'} AS status, part, outcome = 'deny' AS denied,
         CASE WHEN part = 'vendor' AND status BETWEEN 200 AND 299 THEN operation ELSE '' END AS answered,
         bucket, sum(count) AS count, sum(total_us) AS total_us, sum(vendor_us) AS vendor_us
    FROM audit.usage
   WHERE build = (SELECT build FROM audit.usage_build WHERE live) AND hour >= $1 AND hour < $2
   GROUP BY 1, 2, 3, 4, 5, 6`;

/** The counted hours in Postgres. */
export class UsageStore {
  constructor(private readonly queries: Queries) {}

  /** @param from whole hour; @param to not included */
  rows(by: Group, from: Date, to: Date): Promise<UsageRow[]> {
    return this.queries.rows<UsageRow>({ text: rowsSql(by), values: [from, to] });
  }

  /** How far the log has been counted: numbers below `size` are in the figures. */
  async counted(): Promise<{ size: number; at: Date }> {
    const [row] = await this.queries.rows<{ next_seq: string; updated_at: Date }>({
      text: 'SELECT next_seq, updated_at FROM audit.usage_build WHERE live',
    });
    return { size: Number(row?.next_seq ?? 0), at: row?.updated_at ?? new Date(0) };
  }

  /** Counts the next records. @returns how many, and the number after the last; undefined when another instance is at it. */
  async roll(most: number, build: number | null = null): Promise<{ rolled: number; next: number } | undefined> {
    const [row] = await this.queries.rows<{ rolled: string; next_seq: string }>({
      text: 'SELECT rolled, next_seq FROM audit.roll_usage($1, $2)',
      values: [build, most],
    });
    return row && { rolled: Number(row.rolled), next: Number(row.next_seq) };
  }

  /** A build beside the live one. @returns its number, the first record that it counts and the end of the live one. */
  async begin(): Promise<{ build: number; first: number; past: number }> {
    const text = 'SELECT build, first, past FROM audit.begin_usage_build()';
    const [row] = await this.queries.rows<{ build: number; first: string; past: string }>({ text });
    return { build: row?.build ?? 0, first: Number(row?.first), past: Number(row?.past) };
  }

  /** Puts a build in the place of the live one. @returns how many figures differed. */
  async finish(build: number): Promise<number> {
    const text = 'SELECT audit.finish_usage_build($1) AS differing';
    const [row] = await this.queries.rows<{ differing: string }>({ text, values: [build] });
    return Number(row?.differing);
  }
}
