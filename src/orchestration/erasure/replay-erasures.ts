import { type Audit, ErasureJournal, LegalHolds } from '../../audit/index.js';
import type { Clock, Config, Database, Keyring, Log } from '../../platform/index.js';
import { Vault } from '../../platform/index.js';
import { CachedAnswers } from '../../vendors/index.js';
import { CacheErasure } from '../fallback/cache-erasure.js';
import { VerificationListeners } from '../verifications/verification-listeners.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { RunCloser } from '../workflows/run-closer.js';
import { RunStore } from '../workflows/run-store.js';
import { StepProgress } from '../workflows/step-progress.js';
import { WorkflowErasure } from '../workflows/workflow-erasure.js';
import type { ErasablePart } from './erasable.js';
import { ErasureReplay, type Replayed } from './erasure-replay.js';
import { ErasureStore } from './erasure-store.js';
import { ErasureWriter } from './erasure-writer.js';
import { journalFile } from './erasure.providers.js';
import { IdempotencyErasure } from './idempotency-erasure.js';
import { SubjectEraser } from './subject-eraser.js';

export interface ReplayParts {
  audit: Pick<Audit, 'auditLog'>;
  clock: Clock;
  config: Config;
  database: Database;
  keyring: Keyring;
  log: Pick<Log, 'error' | 'warn'>;
  /** Journal to replay, where it is not the one of the data folder. */
  journal?: string | undefined;
  /** Places that modules above this one know. */
  parts: (vault: Vault) => ErasablePart[];
}

/** Replays a journal of erasures without a gateway: after a restore, before anybody is let in. */
export async function replayErasures(parts: ReplayParts): Promise<Replayed> {
  const { clock, config, database, keyring } = parts;
  const { auditLog } = parts.audit;
  const vault = new Vault(keyring, clock);
  const places = [
    new IdempotencyErasure(vault),
    new CacheErasure(new CachedAnswers(database, vault, keyring, clock, config)),
    workflowErasure(parts, vault),
    ...parts.parts(vault),
  ];
  const eraser = new SubjectEraser(vault, () => places);
  const journal = new ErasureJournal(parts.journal ?? journalFile(config), keyring);
  const writer = new ErasureWriter(eraser, new ErasureStore(database), auditLog, journal, clock);
  return new ErasureReplay(database, writer, new LegalHolds(database, auditLog, clock), parts.log).replay(journal);
}

function workflowErasure({ audit, clock, database }: ReplayParts, vault: Vault): WorkflowErasure {
  const store = new VerificationStore(database);
  const runs = new RunStore(database);
  // Who listens hears of it from a gateway: here nobody does.
  const listeners = new VerificationListeners();
  const closer = new RunCloser(runs, new StepProgress(runs, audit.auditLog, clock), vault);
  return new WorkflowErasure(store, new VerificationProgress(store, audit.auditLog, listeners, clock), closer);
}
