import { VerificationEntity } from './verifications/verification.entity.js';

export { AuditedCommit } from './call-commit.js';
export { IdempotencyCheck } from './idempotency/idempotency-check.js';
export { OrchestrationModule } from './orchestration.module.js';
export { VerificationFollower } from './verifications/verification-follower.js';

/** Entities of this module; its two other tables are reached by SQL alone. */
export const orchestrationEntities = [VerificationEntity];
