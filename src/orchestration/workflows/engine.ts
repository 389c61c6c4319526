import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Clock, type Tx } from '../../platform/index.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { nextMove, outcomeOf, type Snapshot, spentUploads, wakeOf } from './plan.js';
import { RunCloser } from './run-closer.js';
import { type Known, RunReports } from './run-reports.js';
import { RunStore, type RunRow, type StepRow, type UploadRow } from './run-store.js';
import { consequenceOf, type Settlement } from './settlement.js';
import { StepProgress } from './step-progress.js';
import { RUN_JOB, type Sending, StepVendor } from './step-sender.js';
import { isEnded } from './step-states.js';
import { viewOfSteps } from './step-views.js';
import { type Workflow, WorkflowCatalogue } from './workflow-catalogue.js';

/** How long a run stays with an engine that has fallen silent. */
export const RUN_LEASE_MS = 15_000;

/** How often an answer that is in hand is written down, until its run is left to whoever finds it. */
const MOST_TRIES = 8;
const BETWEEN_TRIES_MS = 250;

interface Settled {
  step: string;
  attempt: string;
  settlement: Settlement;
}

/** One transaction of an engine with a run. */
interface Turn {
  id: string;
  known: Known;
  /** What has come back since the last one. */
  settled: Settled | undefined;
  /** Attempts of this engine's own. */
  underWay: ReadonlySet<string>;
}

interface Advanced {
  /** What the vendor is to be sent now that its intent is durable. */
  sends: Sending[];
  /** Whether this engine is still at it. */
  mine: boolean;
}

const OVER: Advanced = { sends: [], mine: false };

/** A run in the hands of a transaction. */
interface Held {
  row: VerificationEntity;
  run: RunRow;
  workflow: Workflow;
  known: Known;
  steps: StepRow[];
  uploads: UploadRow[];
}

/**
 * Runs workflows. What is known stands in the database alone: every transaction applies what has come back from the vendor, makes all moves
 * that follow and notes the intents of the next ones with their records, so that an engine that dies at any point leaves a run with which
 * another goes on.
 */
@Injectable()
export class WorkflowEngine {
  /** Who this engine is to the leases. */
  readonly holder = randomUUID();
  #stopping = false;

  constructor(
    private readonly runs: RunStore,
    private readonly verifications: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly steps: StepProgress,
    private readonly reports: RunReports,
    private readonly closer: RunCloser,
    private readonly catalogue: WorkflowCatalogue,
    private readonly vendor: StepVendor,
    private readonly clock: Clock,
  ) {}

  /** Takes runs that are due. @param mostEach how many of one client's it may be at. @returns their ids, each to go on with */
  claimDue(most: number, mostEach: number): Promise<string[]> {
    const now = this.clock.epochMs();
    return this.runs.claimDue(this.holder, new Date(now), new Date(now + RUN_LEASE_MS), { most, mostEach });
  }

  /** Sends nothing any more: what is under way ends, and the rest is left to other engines. */
  stop(): void {
    this.#stopping = true;
  }

  /** Takes a run that this engine has claimed as far as it goes without waiting for a rest. */
  async goOn(id: string): Promise<void> {
    const underWay = new Map<string, Promise<Settled>>();
    const known: Known = { reports: new Map() };
    let settled: Settled | undefined;
    for (;;) {
      const { sends, mine } = await this.insist({ id, known, settled, underWay: new Set(underWay.keys()) });
      if (!mine) return;
      for (const sending of sends) underWay.set(sending.attempt, this.send(sending));
      settled = await Promise.race(underWay.values());
      underWay.delete(settled.attempt);
    }
  }

  /** An answer in hand was paid for: a database that is away for a moment does not lose it. */
  private async insist(turn: Turn): Promise<Advanced> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.advance(turn);
      } catch (error) {
        if (turn.settled === undefined || tries >= MOST_TRIES) throw error;
        await sleep(BETWEEN_TRIES_MS * tries);
      }
    }
  }

  /** Keeps what this engine is at. */
  async renew(): Promise<void> {
    await this.runs.renew(this.holder, new Date(this.clock.epochMs() + RUN_LEASE_MS));
  }

  private async send(sending: Sending): Promise<Settled> {
    const settlement = await this.vendor.send(sending);
    return { step: sending.step.name, attempt: sending.attempt, settlement };
  }

  private advance({ id, known, settled, underWay }: Turn): Promise<Advanced> {
    return this.runs.transaction(async (tx) => {
      const held = await this.hold(tx, id, known);
      if (held === undefined) return OVER;
      if (held.row.status === 'pending') return this.gathering(tx, held);
      if (held.row.status !== 'in-progress') return OVER;
      await this.settle(tx, held, settled, underWay);
      const sends = this.#stopping ? [] : await this.move(tx, held);
      if (held.steps.every(({ state }) => isEnded(state))) {
        await this.finish(tx, held);
        return OVER;
      }
      await this.spend(tx, held);
      await this.verifications.update(tx, id, { steps: viewOfSteps(held.steps), updatedAt: this.clock.now() });
      const mine = sends.length > 0 || underWay.size > 0;
      if (!mine)
        await this.runs.release(tx, id, this.#stopping ? this.clock.now() : wakeOf(held.steps, held.run.deadline));
      return { sends, mine };
    });
  }

  /** Undefined when another engine has it, or nothing is left to do. */
  private async hold(tx: Tx, id: string, known: Known): Promise<Held | undefined> {
    const row = await this.verifications.lock(tx, id);
    const run = await this.runs.find(tx, id);
    if (row === null || run === undefined || run.holder !== this.holder) return undefined;
    const workflow = await this.catalogue.version(row.workflow, row.workflowVersion);
    return {
      row,
      run,
      workflow,
      known,
      steps: await this.runs.steps(tx, id),
      uploads: await this.runs.uploads(tx, id),
    };
  }

  /** Uploads that have not come in time never will. */
  private async gathering(tx: Tx, { row, run }: Held): Promise<Advanced> {
    if (this.clock.now() < run.deadline) {
      await this.runs.release(tx, row.id, run.deadline);
      return OVER;
    }
    const { steps } = await this.closer.stop(tx, this.askerOf(row), row, 'uploads-expired');
    await this.progress.happen(tx, this.askerOf(row), row, 'uploads.expired', { steps: viewOfSteps(steps) });
    return OVER;
  }

  /** What has come back, and what never will: an attempt under way that is not this engine's was another's that died. */
  private async settle(tx: Tx, held: Held, settled: Settled | undefined, underWay: ReadonlySet<string>): Promise<void> {
    for (const step of held.steps) {
      if (step.attempt === null || underWay.has(step.attempt)) continue;
      const settlement: Settlement =
        step.attempt === settled?.attempt ? settled.settlement : { kind: 'unsure', reason: 'interrupted' };
      await this.apply(tx, held, step, settlement);
    }
  }

  private async apply(tx: Tx, held: Held, step: StepRow, settlement: Settlement): Promise<void> {
    const { row, workflow } = held;
    const own = workflow.definition.steps.find(({ name }) => name === step.name);
    if (own === undefined) throw new Error('a step stands in no definition');
    const { event, ...changes } = consequenceOf(workflow.definition, own, step, settlement, this.clock.now());
    const result = settlement.kind === 'answered' ? await this.reports.keep(tx, row, settlement.report) : null;
    replace(held.steps, await this.steps.happen(tx, this.askerOf(row), row, step, event, { ...changes, result }));
  }

  private async move(tx: Tx, held: Held): Promise<Sending[]> {
    const { row, workflow } = held;
    const base: Omit<Snapshot, 'steps'> = {
      definition: workflow.definition,
      reports: await this.reports.of(tx, held.steps, held.known),
      uploads: new Set(held.uploads.map(({ name }) => name)),
      input: await this.reports.input(tx, row, held.run, held.known),
      deadline: held.run.deadline,
      now: this.clock.now(),
    };
    const sends: Sending[] = [];
    for (;;) {
      const move = nextMove({ ...base, steps: held.steps });
      if (move === undefined) return sends;
      const { step, definition, event, reason = null, request } = move;
      const operation = event === 'sent' ? definition.operation : undefined;
      const moved = await this.steps.happen(tx, this.askerOf(row), row, step, event, { reason }, operation);
      replace(held.steps, moved);
      if (moved.attempt !== null && request !== undefined)
        sends.push({ row, step: definition, attempt: moved.attempt, request, uploads: held.uploads });
    }
  }

  private async spend(tx: Tx, { row, workflow, steps, uploads }: Held): Promise<void> {
    const kept = uploads.flatMap(({ name, item }) => (item === null ? [] : name));
    await this.closer.spend(tx, row.id, spentUploads(workflow.definition, steps, kept));
  }

  private async finish(tx: Tx, held: Held): Promise<void> {
    const { row, workflow, steps, uploads } = held;
    const reports = await this.reports.of(tx, steps, held.known);
    const { is, rule } = outcomeOf(workflow.definition, {
      steps,
      reports,
      uploads: new Set(uploads.map(({ name }) => name)),
    });
    const decision = await this.reports.decide(tx, row, workflow.definition, is, reports);
    await this.closer.close(tx, row.id);
    const changes = { decision, steps: viewOfSteps(steps) };
    await this.progress.happen(tx, this.askerOf(row), row, `run.${is}`, changes, {
      workflow: row.workflow,
      version: row.workflowVersion,
      rule,
    });
  }

  private askerOf({ clientId, id, subject }: VerificationEntity) {
    return { job: RUN_JOB, client: clientId, verification: id, subject };
  }
}

function replace(steps: StepRow[], moved: StepRow): void {
  const at = steps.findIndex(({ name }) => name === moved.name);
  if (at >= 0) steps[at] = moved;
}
