import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { Audit } from './audit.js';
import { Clock, Database } from '../platform/index.js';
import { AuditAdminController, DecisionsAdminController } from './audit.admin.controller.js';
import { CheckpointsAdminController } from './checkpoints/checkpoints.admin.controller.js';
import { LogStore, type Queries } from './checkpoints/log-store.js';
import { HoldsAdminController } from './holds/holds.admin.controller.js';
import { LegalHolds } from './holds/legal-holds.js';
import { Receipts } from './receipts/receipts.js';
import { SIEM, SinksAdminController } from './siem/sinks.admin.controller.js';
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
      controllers: [
        AuditAdminController,
        DecisionsAdminController,
        CheckpointsAdminController,
        HoldsAdminController,
        SinksAdminController,
        TilesController,
      ],
      providers: [
        { provide: AUDIT, useValue: audit },
        { provide: SIEM, useValue: audit.siem },
        { provide: AuditLog, useValue: audit.auditLog },
        { provide: CallWriter, useValue: audit.callWriter },
        {
          provide: RecordSearch,
          inject: [Database],
          useFactory: (database: Database) => new RecordSearch(database),
        },
        { provide: LogStore, inject: [Database], useFactory: (database: Database) => new LogStore(pooled(database)) },
        { provide: Receipts, inject: [LogStore], useFactory: (store: LogStore) => new Receipts(store) },
        {
          provide: LegalHolds,
          inject: [Database, Clock],
          useFactory: (database: Database, clock: Clock) => new LegalHolds(database, audit.auditLog, clock),
        },
      ],
      exports: [AuditLog, CallWriter, RecordSearch, Receipts, LogStore, LegalHolds],
    };
  }

  onApplicationBootstrap(): void {
    this.audit.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.audit.stop();
  }
}
