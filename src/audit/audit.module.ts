import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { Audit } from './audit.js';
import { Database } from '../platform/index.js';
import { AuditAdminController, DecisionsAdminController } from './audit.admin.controller.js';
import { CheckpointsAdminController } from './checkpoints/checkpoints.admin.controller.js';
import { LogStore, type Queries } from './checkpoints/log-store.js';
import { ReadingModule } from './reading.module.js';
import { Receipts } from './receipts/receipts.js';
import { TilesController } from './tiles/tiles.admin.controller.js';
import { AuditLog } from './audit-log.js';
import { CallWriter } from './call-writer.js';
import { RecordSearch } from './search.js';

const AUDIT = Symbol('gatehouse.audit');

/** Proofs for callers are read through the pool: the log's own connections are for writing. */
const pooled = (database: Database): Queries => ({
  rows: <R extends object>({ text, values }: QueryConfig) => database.query<R>(text, values),
});

/** The log for every module above; it is numbered from when the house stands until after everyone who may still write. */
@Module({})
export class AuditModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(AUDIT) private readonly audit: Audit) {}

  /** Global, as the platform is: there is no module that does not write to it. */
  static with(audit: Audit): DynamicModule {
    return {
      module: AuditModule,
      global: true,
      imports: [ReadingModule],
      controllers: [AuditAdminController, DecisionsAdminController, CheckpointsAdminController, TilesController],
      providers: [
        { provide: AUDIT, useValue: audit },
        { provide: AuditLog, useValue: audit.auditLog },
        { provide: CallWriter, useValue: audit.callWriter },
        {
          provide: RecordSearch,
          inject: [Database],
          useFactory: (database: Database) => new RecordSearch(database),
        },
        { provide: LogStore, inject: [Database], useFactory: (database: Database) => new LogStore(pooled(database)) },
        { provide: Receipts, inject: [LogStore], useFactory: (store: LogStore) => new Receipts(store) },
      ],
      exports: [AuditLog, CallWriter, RecordSearch, Receipts, LogStore],
    };
  }

  onApplicationBootstrap(): void {
    this.audit.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.audit.stop();
  }
}
