import { VerificationEntity } from './verifications/verification.entity.js';

export type { Erased, ErasablePart, ErasedVerifications } from './erasure/erasable.js';
export { ErasableParts } from './erasure/erasable.js';
export { ErasedSessions, type SessionHolder } from './erasure/erased-sessions.js';
export { lockSession } from './erasure/locks.js';
export { replayErasures } from './erasure/replay-erasures.js';
export { eraseItems } from './erasure/subject-eraser.js';
export { AuditedCommit } from './call-commit.js';
export { IdempotencyCheck } from './idempotency/idempotency-check.js';
export { OrchestrationModule } from './orchestration.module.js';
export { WORKFLOW_DIAGRAMS } from './workflows/diagrams.js';
export { workflowsOf } from './workflows/file-workflows.js';
export { STATUSES as VERIFICATION_STATUSES } from './verifications/transitions.js';
export { VerificationFollower } from './verifications/verification-follower.js';
export {
  type Moved,
  type VerificationListener,
  VerificationListeners,
} from './verifications/verification-listeners.js';
export { VerificationSnapshots } from './verifications/verification-snapshots.js';

/** Entities of this module; its two other tables are reached by SQL alone. */
export const orchestrationEntities = [VerificationEntity];
