import { Injectable } from '@nestjs/common';
import { type Call, ProblemError } from '../../platform/index.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationCreator } from '../verifications/verification-creator.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { RunCreator } from './run-creator.js';
import { WorkflowCatalogue } from './workflow-catalogue.js';

/**
 * Makes verifications by the version of their workflow that is in force. One that an earlier call under the same Idempotency-Key has begun
 * stays on its version, also when that was retired meanwhile: a refusal would free the key for a second verification.
 */
@Injectable()
export class VerificationStarter {
  constructor(
    private readonly catalogue: WorkflowCatalogue,
    private readonly store: VerificationStore,
    private readonly hosted: VerificationCreator,
    private readonly runs: RunCreator,
  ) {}

  /** @throws ProblemError `invalid-request` for a workflow that is not published; otherwise as the two creators */
  async create(call: Call, body: CreateBody): Promise<VerificationEntity> {
    const { idempotency } = call;
    const begun = idempotency?.again === true ? await this.store.byKey(idempotency.id) : null;
    const workflow =
      begun === null
        ? await this.catalogue.published(body.workflow)
        : await this.catalogue.version(begun.workflow, begun.workflowVersion);
    if (workflow === undefined)
      throw new ProblemError('invalid-request', {
        errors: [{ pointer: '/workflow', message: 'is not a workflow that is published here' }],
        rule: 'workflow.unpublished',
      });
    return workflow.hosted ? this.hosted.create(call, body, workflow.version) : this.runs.create(call, body, workflow);
  }
}
