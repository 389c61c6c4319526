import { uuidv7 } from '../../platform/index.js';
import { VerificationEntity } from './verification.entity.js';

type Own = 'clientId' | 'idempotencyId' | 'workflow' | 'workflowVersion' | 'subject' | 'relationship';
type Course = 'hosted' | 'unsure' | 'steps' | 'expiresAt';

/** A verification as it begins: nothing asked, seen or decided yet. Its subject is still to be sealed. */
export function newVerification(now: Date, given: Pick<VerificationEntity, Own | Course>): VerificationEntity {
  return Object.assign(new VerificationEntity(), {
    ...given,
    id: uuidv7(now.getTime()),
    status: 'pending',
    vendor: 'didit',
    vendorStatus: null,
    sessionId: null,
    searches: 0,
    sealedLink: null,
    rung: 'fresh',
    decision: null,
    look: '0',
    lookedAt: now,
    seenAt: null,
    checkAt: null,
    checks: 0,
    notifiedAt: null,
    reviewedBy: null,
    reviewedAt: null,
    sealedReview: null,
    createdAt: now,
    updatedAt: now,
    erasedAt: null,
  } satisfies Omit<VerificationEntity, 'sealedSubject'>);
}
