import { Module } from '@nestjs/common';
import { VendorsModule } from '../vendors/index.js';
import { AuditedCommit } from './call-commit.js';
import { DropInBusinessController } from './drop-in/drop-in-business.controller.js';
import { DropInBusinesses } from './drop-in/drop-in-businesses.js';
import { DropInCalls } from './drop-in/drop-in-calls.js';
import { DropInChecks } from './drop-in/drop-in-checks.js';
import { DropInChecksController } from './drop-in/drop-in-checks.controller.js';
import { DropInCodes } from './drop-in/drop-in-codes.js';
import { DropInController } from './drop-in/drop-in.controller.js';
import { DropInList } from './drop-in/drop-in-list.js';
import { DropInRegistry } from './drop-in/drop-in-registry.js';
import { DropInSessionList } from './drop-in/drop-in-session-list.js';
import { DropInSessions } from './drop-in/drop-in-sessions.js';
import { DropInTransactions } from './drop-in/drop-in-transactions.js';
import { DropInTransactionsController } from './drop-in/drop-in-transactions.controller.js';
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
import { OneTimeCodes } from './ownership/one-time-codes.js';
import { Ownership } from './ownership/ownership.js';
import { ReconciliationAdminController } from './reconciliation/reconciliation.admin.controller.js';
import { SweepRounds } from './reconciliation/sweep-rounds.js';
import { SweepStore } from './reconciliation/sweep-store.js';
import { Sweep } from './reconciliation/sweep.js';
import { UnlistedFields } from './vendor/unlisted-fields.js';
import { UnknownStatuses } from './vendor/unknown-statuses.js';
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
import { VerificationListeners } from './verifications/verification-listeners.js';
import { VerificationProgress } from './verifications/verification-progress.js';
import { VerificationReader } from './verifications/verification-reader.js';
import { VerificationReceipts } from './verifications/verification-receipts.js';
import { VerificationSearch } from './verifications/verification-search.js';
import { VerificationSnapshots } from './verifications/verification-snapshots.js';
import { VerificationStore } from './verifications/verification-store.js';
import { VerificationViews } from './verifications/verification-views.js';
import { VerificationsController } from './verifications/verifications.controller.js';
import { WorkflowEngine } from './workflows/engine.js';
import { FileWorkflows } from './workflows/file-workflows.js';
import { RunCloser } from './workflows/run-closer.js';
import { RunCreator } from './workflows/run-creator.js';
import { RunReports } from './workflows/run-reports.js';
import { RunStarter } from './workflows/run-starter.js';
import { RunStore } from './workflows/run-store.js';
import { RunWorker } from './workflows/run-worker.js';
import { StepProgress } from './workflows/step-progress.js';
import { StepSender, StepVendor } from './workflows/step-sender.js';
import { Uploads } from './workflows/uploads.js';
import { VerificationStarter } from './workflows/verification-starter.js';
import { WorkflowCatalogue } from './workflows/workflow-catalogue.js';
import { WorkflowStore } from './workflows/workflow-store.js';
import { WorkflowWriter } from './workflows/workflow-writer.js';
import { Workflows } from './workflows/workflows.js';
import { WorkflowsAdminController } from './workflows/workflows.admin.controller.js';

const idempotency = [AnswerKeeper, IdempotencyCheck, IdempotencyStore, Leases, AuditedCommit, Housekeeping];
const vendor = [OneTimeCodes, Ownership, UnknownStatuses, UnlistedFields, VendorCalls, VendorTrouble];
const verifications = [
  KeptDecisions,
  SessionAttachment,
  SessionSearch,
  SubjectSecrets,
  VendorSessions,
  VerificationCanceller,
  VerificationCreator,
  VerificationFollower,
  VerificationListeners,
  VerificationProgress,
  VerificationReader,
  VerificationReceipts,
  VerificationSearch,
  VerificationSnapshots,
  VerificationStore,
  VerificationViews,
];
const dropIn = [
  DropInBusinesses,
  DropInCalls,
  DropInChecks,
  DropInCodes,
  DropInList,
  DropInRegistry,
  DropInSessionList,
  DropInSessions,
  DropInTransactions,
];
const dropInControllers = [
  DropInController,
  DropInChecksController,
  DropInBusinessController,
  DropInTransactionsController,
];
const workflows = [
  FileWorkflows,
  RunCloser,
  RunCreator,
  RunReports,
  RunStarter,
  RunStore,
  RunWorker,
  StepProgress,
  { provide: StepVendor, useClass: StepSender },
  Uploads,
  VerificationStarter,
  WorkflowCatalogue,
  WorkflowEngine,
  WorkflowStore,
  WorkflowWriter,
  Workflows,
];
const reconciliation = [Sweep, SweepRounds, SweepStore];

/** Verifications, the drop-in, and what both stand on: idempotency, ownership and the one way to the vendor. */
@Module({
  imports: [VendorsModule],
  controllers: [
    VerificationsController,
    ...dropInControllers,
    ErasuresAdminController,
    ReconciliationAdminController,
    ReviewsAdminController,
    WorkflowsAdminController,
  ],
  providers: [
    ...idempotency,
    ...vendor,
    ...verifications,
    ...workflows,
    ...fallbackProviders,
    ...reconciliation,
    ...dropIn,
    ...erasureProviders,
  ],
  exports: [
    AuditedCommit,
    ErasableParts,
    ErasedSessions,
    IdempotencyCheck,
    Ownership,
    VerificationFollower,
    VerificationListeners,
    VerificationSnapshots,
  ],
})
export class OrchestrationModule {}
