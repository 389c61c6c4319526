import { Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, Clock, ProblemError, Roles } from '../../platform/index.js';
import { type Completeness, SweepStore } from './sweep-store.js';

const DAY_MS = 86_400_000;
const LONGEST_MS = 31 * DAY_MS;

const instant = () => z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const windowSchema = z.strictObject({ from: instant().optional(), to: instant().optional() });

export interface CompletenessView extends Completeness {
  from: string;
  to: string;
}

/** Whether every verification has come to its end, and how one knows. */
@AdminController('admin/v1/reconciliation')
export class ReconciliationAdminController {
  constructor(
    private readonly store: SweepStore,
    private readonly clock: Clock,
  ) {}

  /** Of the verifications made in the window; the last day unless one is given, 31 days at most. */
  @Get('completeness')
  @Roles('operator', 'auditor')
  async completeness(@Query({ schema: windowSchema }) query: z.output<typeof windowSchema>): Promise<CompletenessView> {
    const to = query.to ?? new Date(this.clock.epochMs() + 1);
    const from = query.from ?? new Date(to.getTime() - DAY_MS);
    const length = to.getTime() - from.getTime();
    if (from.getTime() < 0 || length <= 0 || length > LONGEST_MS)
      throw new ProblemError('invalid-request', {
        errors: [{ pointer: '/from', message: 'must be before `to`, by at most 31 days' }],
        rule: 'input.window',
      });
    return { from: from.toISOString(), to: to.toISOString(), ...(await this.store.completeness(from, to)) };
  }
}
