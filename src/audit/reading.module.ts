import { Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../platform/index.js';
import { ExportAdminController } from './export/export.admin.controller.js';
import { Pooled } from './pooled.js';
import { Timeline } from './timeline/timeline.js';
import { TimelineAdminController } from './timeline/timeline.admin.controller.js';
import { UsageAdminController } from './usage/usage.admin.controller.js';
import { UsageRoller } from './usage/usage-roller.js';
import { UsageStore } from './usage/usage-store.js';

/** What people take out of the log beside single records: usage, timelines, exports. */
@Module({
  controllers: [UsageAdminController, TimelineAdminController, ExportAdminController],
  providers: [
    Pooled,
    Timeline,
    { provide: UsageStore, inject: [Pooled], useFactory: (pooled: Pooled) => new UsageStore(pooled) },
    {
      provide: UsageRoller,
      inject: [UsageStore, Log],
      useFactory: (store: UsageStore, log: Log) => new UsageRoller(store, log),
    },
  ],
})
export class ReadingModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly roller: UsageRoller) {}

  onApplicationBootstrap(): void {
    this.roller.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.roller.stop();
  }
}
