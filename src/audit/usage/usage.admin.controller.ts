import { Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, Clock, type Config, CONFIG, Roles } from '../../platform/index.js';
import { instant } from '../query.js';
import { type Figures, type UsageItem, usageReport } from './usage-report.js';
import { GROUPS, UsageStore } from './usage-store.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A leap year; by the hour a month, which are 744 items. */
const MOST_DAYS = 366;
const MOST_DAYS_BY_HOUR = 31;

export const usageQuery = z
  .strictObject({ by: z.enum(GROUPS), from: instant.optional(), to: instant.optional() })
  .superRefine(({ by, from, to }, context) => {
    if (from === undefined || to === undefined) return;
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
    const most = by === 'hour' ? MOST_DAYS_BY_HOUR : MOST_DAYS;
    if (days <= 0) context.addIssue({ code: 'custom', path: ['to'], message: 'must be after from' });
    else if (days > most)
      context.addIssue({ code: 'custom', path: ['to'], message: `must be at most ${most} days after from` });
  });

/** How much is used, by whom, at what cost, and where the time goes; from figures counted as records come. */
@AdminController('admin/v1/usage')
export class UsageAdminController {
  constructor(
    private readonly store: UsageStore,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whole hours: `from` goes back to the beginning of its hour and `to` on to the end of its own. Unset: the last day. */
  @Get()
  @Roles('operator', 'auditor')
  async usage(@Query({ schema: usageQuery }) query: z.output<typeof usageQuery>): Promise<{
    by: string;
    from: string;
    to: string;
    counted: { size: number; at: string };
    items: UsageItem[];
    total: Figures;
  }> {
    const { from, to } = this.hours(query);
    const counted = await this.store.counted();
    const rows = await this.store.rows(query.by, from, to);
    return {
      by: query.by,
      from: from.toISOString(),
      to: to.toISOString(),
      counted: { size: counted.size, at: counted.at.toISOString() },
      ...usageReport(query.by, rows, this.config.vendors.didit.prices),
    };
  }

  private hours({ from, to }: z.output<typeof usageQuery>): { from: Date; to: Date } {
    const end =
      to !== undefined ? Date.parse(to) : from === undefined ? this.clock.epochMs() : Date.parse(from) + DAY_MS;
    const begin = from === undefined ? end - DAY_MS : Date.parse(from);
    return { from: new Date(Math.floor(begin / HOUR_MS) * HOUR_MS), to: new Date(Math.ceil(end / HOUR_MS) * HOUR_MS) };
  }
}
