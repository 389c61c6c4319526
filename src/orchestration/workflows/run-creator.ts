import { Injectable } from '@nestjs/common';
import { type Call, clientOf, Clock, type Tx } from '../../platform/index.js';
import { lockSubject } from '../erasure/locks.js';
import type { CreateBody } from '../verifications/schemas.js';
import { SubjectSecrets } from '../verifications/subject-secrets.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { newVerification } from '../verifications/new-verification.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { RunReports } from './run-reports.js';
import { RunStarter } from './run-starter.js';
import { RunStore } from './run-store.js';
import type { Workflow } from './workflow-catalogue.js';

/** Makes verifications that the gateway runs itself. One Idempotency-Key makes one, whatever breaks in between. */
@Injectable()
export class RunCreator {
  constructor(
    private readonly store: VerificationStore,
    private readonly runs: RunStore,
    private readonly reports: RunReports,
    private readonly starter: RunStarter,
    private readonly progress: VerificationProgress,
    private readonly secrets: SubjectSecrets,
    private readonly clock: Clock,
  ) {}

  create(call: Call, body: CreateBody, workflow: Workflow): Promise<VerificationEntity> {
    const key = call.idempotency?.id;
    if (key === undefined) throw new Error('a verification is made under an Idempotency-Key only');
    return this.store.transaction(async (tx) => {
      const row = (await this.store.lockByKey(tx, key)) ?? (await this.anew(tx, call, body, workflow, key));
      call.verification = row.id;
      call.subject = row.subject;
      return row;
    });
  }

  private async anew(
    tx: Tx,
    call: Call,
    body: CreateBody,
    workflow: Workflow,
    key: string,
  ): Promise<VerificationEntity> {
    const now = this.clock.now();
    const { id: clientId } = clientOf(call);
    const { reference, relationship } = body.subject;
    const subject = this.secrets.pseudonym(clientId, reference);
    await lockSubject(tx, subject, 'shared');
    const { definition, name, version } = workflow;
    const deadline = new Date(now.getTime() + definition.uploadWithin);
    const row = newVerification(now, {
      clientId,
      idempotencyId: key,
      workflow: name,
      workflowVersion: version,
      subject,
      relationship,
      hosted: false,
      unsure: false,
      steps: definition.steps.map((step) => ({ name: step.name, status: 'waiting', rung: 'fresh' }) as const),
      expiresAt: deadline,
    });
    row.sealedSubject = await this.secrets.sealReference(tx, row, reference);
    await this.store.insert(tx, row);
    const sealedInput = await this.reports.sealInput(tx, row, { reference, expected: body.expected ?? {} });
    const steps = definition.steps.map((step) => step.name);
    await this.runs.insert(tx, row.id, clientId, { deadline, wakeAt: deadline, holder: null, sealedInput }, steps);
    await this.progress.begun(tx, call, row);
    return this.starter.startIfComplete(tx, call, row, workflow);
  }
}
