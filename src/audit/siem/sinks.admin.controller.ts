import { Get, Inject } from '@nestjs/common';
import { AdminController, Roles } from '../../platform/index.js';
import type { Siem, SinkView } from './siem.js';

export const SIEM = Symbol('gatehouse.siem');

/** How far each receiver of the log's events is, and what keeps it. */
@AdminController('admin/v1/audit/sinks')
export class SinksAdminController {
  constructor(@Inject(SIEM) private readonly siem: Siem) {}

  @Get()
  @Roles('operator', 'security', 'auditor')
  async list(): Promise<{ items: SinkView[] }> {
    return { items: await this.siem.views() };
  }
}
