import { Module } from '@nestjs/common';
import { VendorsModule } from '../vendors/index.js';
import { AuditedCommit } from './call-commit.js';
import { DropInCalls } from './drop-in/drop-in-calls.js';
import { DropInChecks } from './drop-in/drop-in-checks.js';
import { DropInController } from './drop-in/drop-in.controller.js';
import { DropInList } from './drop-in/drop-in-list.js';
import { DropInSessions } from './drop-in/drop-in-sessions.js';
import { erasureProviders } from './erasure/erasure.providers.js';
import { ErasableParts } from './erasure/erasable.js';
import { ErasedSessions } from './erasure/erased-sessions.js';
import { ErasuresAdminController } from './erasure/erasures.admin.controller.js';
import { fallbackProviders } from './fallback/fallback.providers.js';
import { ReviewsAdminController } from './fallback/reviews.admin.controller.js';
import { Housekeeping } from './housekeeping.js';
import { AnswerKeeper } from './idempotency/answer-keeper.js';
import { IdempotencyCheck } from './idempotency/idempotency-check.js';
import { IdempotencyStore } from './idempotency/idempotency-store.js';
import { Leases } from './idempotency/leases.js';
import { Ownership } from './ownership/ownership.js';
import { ReconciliationAdminController } from './reconciliation/reconciliation.admin.controller.js';
import { SweepRounds } from './reconciliation/sweep-rounds.js';
import { SweepStore } from './reconciliation/sweep-store.js';
import { Sweep } from './reconciliation/sweep.js';
import { UnlistedFields } from './vendor/unlisted-fields.js';
import { VendorCalls } from './vendor/vendor-calls.js';
import { VendorTrouble } from './vendor/vendor-trouble.js';
import { KeptDecisions } from './verifications/kept-decisions.js';
import { SessionAttachment } from './verifications/session-attachment.js';
import { SessionSearch } from './verifications/session-search.js';
import { SubjectSecrets } from './verifications/subject-secrets.js';
import { VendorSessions } from './verifications/vendor-sessions.js';
import { VerificationCanceller } from './verifications/verification-canceller.js';
import { VerificationCreator } from './verifications/verification-creator.js';
import { VerificationFollower } from './verifications/verification-follower.js';
import { VerificationProgress } from './verifications/verification-progress.js';
import { VerificationReader } from './verifications/verification-reader.js';
import { VerificationReceipts } from './verifications/verification-receipts.js';
import { VerificationSearch } from './verifications/verification-search.js';
import { VerificationStore } from './verifications/verification-store.js';
import { VerificationViews } from './verifications/verification-views.js';
import { VerificationsController } from './verifications/verifications.controller.js';

const idempotency = [AnswerKeeper, IdempotencyCheck, IdempotencyStore, Leases, AuditedCommit, Housekeeping];
const vendor = [Ownership, UnlistedFields, VendorCalls, VendorTrouble];
const verifications = [
  KeptDecisions,
  SessionAttachment,
  SessionSearch,
  SubjectSecrets,
  VendorSessions,
  VerificationCanceller,
  VerificationCreator,
  VerificationFollower,
  VerificationProgress,
  VerificationReader,
  VerificationReceipts,
  VerificationSearch,
  VerificationStore,
  VerificationViews,
];
const reconciliation = [Sweep, SweepRounds, SweepStore];
const dropIn = [DropInCalls, DropInChecks, DropInList, DropInSessions];

/** Verifications, the drop-in, and what both stand on: idempotency, ownership and the one way to the vendor. */
@Module({
  imports: [VendorsModule],
  controllers: [
    VerificationsController,
    DropInController,
    ErasuresAdminController,
    ReconciliationAdminController,
    ReviewsAdminController,
  ],
  providers: [
    ...idempotency,
    ...vendor,
    ...verifications,
    ...fallbackProviders,
    ...reconciliation,
    ...dropIn,
    ...erasureProviders,
  ],
  exports: [AuditedCommit, ErasableParts, ErasedSessions, IdempotencyCheck, Ownership, VerificationFollower],
})
export class OrchestrationModule {}
