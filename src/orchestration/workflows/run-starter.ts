import { Injectable } from '@nestjs/common';
import { type Call, Clock, Jobs, type Tx } from '../../platform/index.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { RUN_JOB } from './step-sender.js';
import { RunStore } from './run-store.js';
import type { Workflow } from './workflow-catalogue.js';

/** Starts runs: the last needed upload does. */
@Injectable()
export class RunStarter {
  constructor(
    private readonly runs: RunStore,
    private readonly progress: VerificationProgress,
    private readonly jobs: Jobs,
    private readonly clock: Clock,
  ) {}

  /** In the transaction of what completes it, with the row locked. */
  async startIfComplete(
    tx: Tx,
    call: Call,
    row: VerificationEntity,
    { definition }: Workflow,
  ): Promise<VerificationEntity> {
    const kept = new Set((await this.runs.uploads(tx, row.id)).map(({ name }) => name));
    const missing = Object.entries(definition.uploads).some(([name, { required }]) => required && !kept.has(name));
    if (missing) return row;
    const now = this.clock.now();
    const deadline = new Date(now.getTime() + definition.timeout);
    await this.runs.start(tx, row.id, deadline, now);
    await this.jobs.send(tx, RUN_JOB, { verification: row.id });
    return this.progress.happen(tx, call, row, 'run.started', { expiresAt: deadline });
  }
}
