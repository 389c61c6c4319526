import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { Audit } from './audit.js';
import { Clock, type Config, CONFIG, Database, Log, Outbox } from '../platform/index.js';
import { RaisedAlarms } from './alarm/raised-alarms.js';
import { AnchorsAdminController } from './anchors/anchors.admin.controller.js';
import { AnchorStore } from './anchors/anchor-store.js';
import { AuditAdminController, DecisionsAdminController } from './audit.admin.controller.js';
import { CheckpointsAdminController } from './checkpoints/checkpoints.admin.controller.js';
import { CompletenessRounds } from './completeness/completeness-rounds.js';
import { LogStore, type Queries } from './checkpoints/log-store.js';
import type { NoteVerifier } from './checkpoints/note.js';
import { HoldsAdminController } from './holds/holds.admin.controller.js';
import { LegalHolds } from './holds/legal-holds.js';
import { ReadingModule } from './reading.module.js';
import { Receipts } from './receipts/receipts.js';
import { SIEM, SinksAdminController } from './siem/sinks.admin.controller.js';
import { TimeRounds } from './time/time-rounds.js';
import { TilesController } from './tiles/tiles.admin.controller.js';
import { AuditLog } from './audit-log.js';
import { CallWriter } from './call-writer.js';
import { RecordSearch } from './search.js';

const AUDIT = Symbol('gatehouse.audit');

/** Proofs for callers are read through the pool: the log's own connections are for writing. */
const pooled = (database: Database): Queries => ({
  rows: <R extends object>({ text, values }: QueryConfig) => database.query<R>(text, values),
});

/** What is handed out must bear a signature of this instance's own keys. */
const believedBy = ({ signing }: Audit): NoteVerifier[] => signing?.signers.map(({ verifier }) => verifier) ?? [];

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
      controllers: [
        AuditAdminController,
        DecisionsAdminController,
        CheckpointsAdminController,
        HoldsAdminController,
        SinksAdminController,
        TilesController,
        AnchorsAdminController,
      ],
      providers: [
        { provide: AUDIT, useValue: audit },
        { provide: SIEM, useValue: audit.siem },
        { provide: AuditLog, useValue: audit.auditLog },
        { provide: CallWriter, useValue: audit.callWriter },
        { provide: RaisedAlarms, useValue: new RaisedAlarms(audit.alarming?.alarms) },
        {
          provide: RecordSearch,
          inject: [Database],
          useFactory: (database: Database) => new RecordSearch(database),
        },
        {
          provide: LogStore,
          inject: [Database],
          useFactory: (database: Database) => new LogStore(pooled(database), believedBy(audit)),
        },
        CompletenessRounds,
        {
          provide: AnchorStore,
          inject: [Database],
          useFactory: (database: Database) => new AnchorStore(pooled(database)),
        },
        {
          provide: TimeRounds,
          inject: [CONFIG, Clock, Database, Outbox, Log],
          useFactory: ({ time: settings }: Config, clock: Clock, database: Database, outbox: Outbox, log: Log) => {
            const { auditLog, alarming } = audit;
            const { alarms, offsets } = alarming ?? {};
            return new TimeRounds({ settings, clock, database, outbox, log, auditLog, alarms, offsets });
          },
        },
        { provide: Receipts, inject: [LogStore], useFactory: (store: LogStore) => new Receipts(store) },
        {
          provide: LegalHolds,
          inject: [Database, Clock],
          useFactory: (database: Database, clock: Clock) => new LegalHolds(database, audit.auditLog, clock),
        },
      ],
      exports: [AuditLog, CallWriter, LegalHolds, LogStore, RaisedAlarms, Receipts, RecordSearch],
    };
  }

  onApplicationBootstrap(): void {
    this.audit.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.audit.stop();
  }
}
