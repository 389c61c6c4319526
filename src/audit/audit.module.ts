import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Audit } from './audit.js';
import { Database } from '../platform/index.js';
import { AuditAdminController, DecisionsAdminController } from './audit.admin.controller.js';
import { AuditLog } from './audit-log.js';
import { CallWriter } from './call-writer.js';
import { RecordSearch } from './search.js';

const AUDIT = Symbol('gatehouse.audit');

/** The log for every module above; it is numbered from when the house stands until after everyone who may still write. */
@Module({})
export class AuditModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(AUDIT) private readonly audit: Audit) {}

  /** Global, as the platform is: there is no module that does not write to it. */
  static with(audit: Audit): DynamicModule {
    return {
      module: AuditModule,
      global: true,
      controllers: [AuditAdminController, DecisionsAdminController],
      providers: [
        { provide: AUDIT, useValue: audit },
        { provide: AuditLog, useValue: audit.auditLog },
        { provide: CallWriter, useValue: audit.callWriter },
        {
          provide: RecordSearch,
          inject: [Database],
          useFactory: (database: Database) => new RecordSearch(database),
        },
      ],
      exports: [AuditLog, CallWriter, RecordSearch],
    };
  }

  onApplicationBootstrap(): void {
    this.audit.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.audit.stop();
  }
}
