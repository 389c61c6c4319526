import { Injectable } from '@nestjs/common';
import { type Call, ProblemError } from '../../platform/index.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationCreator } from '../verifications/verification-creator.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { RunCreator } from './run-creator.js';
import { WorkflowCatalogue } from './workflow-catalogue.js';

/** Makes verifications by the version of their workflow that is in force. */
@Injectable()
export class VerificationStarter {
  constructor(
    private readonly catalogue: WorkflowCatalogue,
    private readonly hosted: VerificationCreator,
    private readonly runs: RunCreator,
  ) {}

  /** @throws ProblemError `invalid-request` for a workflow that is not published; otherwise as the two creators */
  async create(call: Call, body: CreateBody): Promise<VerificationEntity> {
    const workflow = await this.catalogue.published(body.workflow);
    if (workflow === undefined)
      throw new ProblemError('invalid-request', {
        errors: [{ pointer: '/workflow', message: 'is not a workflow that is published here' }],
        rule: 'workflow.unpublished',
      });
    return workflow.hosted ? this.hosted.create(call, body, workflow.version) : this.runs.create(call, body, workflow);
  }
}
