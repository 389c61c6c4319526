import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { AuditLog, ErasureJournal, LegalHolds } from '../../audit/index.js';
import { Clock, type Config, CONFIG, Database, Keyring, Log, Vault } from '../../platform/index.js';
import { CachedAnswers } from '../../vendors/index.js';
import { CacheErasure } from '../fallback/cache-erasure.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { RunCloser } from '../workflows/run-closer.js';
import { WorkflowErasure } from '../workflows/workflow-erasure.js';
import { ErasableParts } from './erasable.js';
import { ErasedSessions } from './erased-sessions.js';
import { ErasureReader } from './erasure-reader.js';
import { ErasureReplay } from './erasure-replay.js';
import { ErasureRounds } from './erasure-rounds.js';
import { ErasureStore } from './erasure-store.js';
import { ErasureWriter } from './erasure-writer.js';
import { ErasureRules, Erasures } from './erasures.js';
import { IdempotencyErasure } from './idempotency-erasure.js';
import { SubjectEraser } from './subject-eraser.js';

/** Beside the database, so that no backup of it takes it back. */
export function journalFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'erasures.jsonl');
}

export const erasureProviders: Provider[] = [
  ErasedSessions,
  ErasureReader,
  ErasureRounds,
  ErasureRules,
  Erasures,
  ErasureStore,
  {
    provide: ErasableParts,
    inject: [Vault, CachedAnswers, VerificationStore, VerificationProgress, RunCloser],
    useFactory: (
      vault: Vault,
      cached: CachedAnswers,
      store: VerificationStore,
      progress: VerificationProgress,
      runs: RunCloser,
    ) => {
      const parts = new ErasableParts();
      parts.add(new IdempotencyErasure(vault));
      parts.add(new CacheErasure(cached));
      parts.add(new WorkflowErasure(store, progress, runs));
      return parts;
    },
  },
  {
    provide: SubjectEraser,
    inject: [Vault, ErasableParts],
    useFactory: (vault: Vault, parts: ErasableParts) => new SubjectEraser(vault, () => parts.all()),
  },
  {
    provide: ErasureJournal,
    inject: [CONFIG, Keyring],
    useFactory: (config: Config, keyring: Keyring) => new ErasureJournal(journalFile(config), keyring),
  },
  {
    provide: ErasureWriter,
    inject: [SubjectEraser, ErasureStore, AuditLog, ErasureJournal, Clock],
    useFactory: (
      eraser: SubjectEraser,
      store: ErasureStore,
      auditLog: AuditLog,
      journal: ErasureJournal,
      clock: Clock,
    ) => new ErasureWriter(eraser, store, auditLog, journal, clock),
  },
  {
    provide: ErasureReplay,
    inject: [Database, ErasureWriter, LegalHolds, Log],
    useFactory: (database: Database, writer: ErasureWriter, holds: LegalHolds, log: Log) =>
      new ErasureReplay(database, writer, holds, log),
  },
];
