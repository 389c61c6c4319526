import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  administratorOf,
  type Call,
  Clock,
  type Config,
  CONFIG,
  ProblemError,
  type Tx,
  uuidv7,
} from '../platform/index.js';
import { checkLimits } from './blast-radius.js';
import { DrillRecords, planDetail } from './drill-records.js';
import { DrillStore } from './drill-store.js';
import type { Drill } from './drill.entity.js';
import { type DrillView, drillView } from './drill-views.js';
import { observedReport } from './report/observed.js';
import { type DrillReport, reportSchema } from './report/schema.js';
import type { DrillListQuery, Proposal, SignBody } from './schemas.js';
import { type DrillEvent, isOver, next } from './transitions.js';

/** Drills as people propose, approve, run, stop, read and sign them. Each act is one transaction with its record. */
@Injectable()
export class Drills {
  constructor(
    private readonly store: DrillStore,
    private readonly records: DrillRecords,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(query: DrillListQuery): Promise<{ items: DrillView[]; nextCursor: string | null }> {
    const { items, nextCursor } = await this.store.list(query);
    return { items: await Promise.all(items.map((drill) => this.view(drill))), nextCursor };
  }

  async get(id: string): Promise<DrillView> {
    return this.view(await this.store.get(id));
  }

  /** @throws ProblemError `invalid-request` when it goes beyond the limits */
  async propose(call: Call, { name, purpose, plan }: Proposal): Promise<DrillView> {
    const { limits } = this.config.drills;
    checkLimits(plan, limits);
    const drill: Drill = {
      ...this.blank(call),
      name,
      purpose,
      plan,
      mostCalls: plan.mostCalls ?? limits.calls,
    };
    await this.store.transaction(async (tx) => {
      await this.store.insert(tx, drill);
      await this.records.tell(tx, call, 'drill.proposed', drill, planDetail(drill));
    });
    return this.get(drill.id);
  }

  /** @throws ProblemError `approval-required` when it is the proposer who approves, `conflict` */
  async approve(call: Call, id: string): Promise<DrillView> {
    const { id: person } = administratorOf(call);
    return this.change(id, async (tx, drill) => {
      if (person === drill.proposedBy) throw anotherPerson('drill.approved-by-proposer');
      const approved = { ...drill, state: moved(drill, 'approve'), approvedBy: person, approvedAt: this.clock.now() };
      await this.store.update(tx, id, { state: approved.state, approvedBy: person, approvedAt: approved.approvedAt });
      await this.records.tell(tx, call, 'drill.approved', approved, planDetail(drill));
    });
  }

  /** @throws ProblemError `approval-required`, `conflict` */
  async start(call: Call, id: string): Promise<DrillView> {
    const { id: person } = administratorOf(call);
    return this.change(id, async (tx, drill) => {
      if (drill.plan === null) throw conflict('A drill that ran elsewhere is not started here.');
      if (drill.state === 'proposed' && this.needsApproval) throw anotherPerson('drill.not-approved');
      await this.store.lockStarts(tx);
      if ((await this.store.idsRunning(tx)).length > 0) throw conflict('Another drill is running; one at a time.');
      // The limits may have been drawn tighter since it was proposed.
      checkLimits(drill.plan, this.config.drills.limits);
      const state = moved(drill, this.needsApproval ? 'start' : 'start.unapproved');
      await this.store.update(tx, id, { state, startedBy: person });
      await this.store.begin(tx, id, drill.plan.durationMs);
      await this.records.tell(tx, call, 'drill.started', { ...drill, state }, planDetail(drill));
    });
  }

  /** The kill switch of one drill; one that does not run yet never will. */
  async stop(call: Call, id: string): Promise<DrillView> {
    return this.change(id, (tx, drill) => this.over(tx, drill, 'stop', 'stopped', call));
  }

  /** The kill switch of all: whatever runs stops on every instance within a second. */
  async stopAll(call: Call): Promise<{ stopped: string[] }> {
    return this.store.transaction(async (tx) => {
      const stopped = await this.store.idsRunning(tx);
      for (const id of stopped) await this.over(tx, await this.store.hold(tx, id), 'stop', 'stopped', call);
      return { stopped };
    });
  }

  /** What the gateway ends by itself: its time is up, or a guard or limit says so. Nothing when it is over already. */
  async conclude(id: string, event: 'end' | 'abort', why: string): Promise<void> {
    await this.store.transaction(async (tx) => {
      const drill = await this.store.hold(tx, id);
      if (!isOver(drill.state)) await this.over(tx, drill, event, why, undefined);
    });
  }

  /** @throws ProblemError `not-found` while there is none */
  async report(id: string): Promise<{ report: DrillReport; text: string; digest: string }> {
    const { report: text, reportDigest } = await this.store.get(id);
    if (text === null || reportDigest === null) throw new ProblemError('not-found', { rule: 'drill.no-report' });
    return { report: reportSchema.parse(JSON.parse(text)), text, digest: reportDigest.toString('hex') };
  }

  /** Files what the runner measured in place of what the gateway saw by itself, until it is signed. By who started it. */
  async fileReport(call: Call, id: string, report: DrillReport): Promise<DrillView> {
    return this.change(id, async (tx, drill) => {
      if (!isOver(drill.state)) throw conflict('A drill is reported when it is over.');
      if (drill.signedBy !== null) throw conflict('A signed report is not changed any more.');
      if (administratorOf(call).id !== drill.startedBy) throw anotherPerson('drill.reported-by-another');
      await this.keepReport(tx, drill, report, call);
    });
  }

  /** Keeps the report of a drill that ran on a system of its own, so that it stands in this log and is signed here. */
  async fileRehearsal(call: Call, report: DrillReport): Promise<DrillView> {
    const { id: person } = administratorOf(call);
    const { name, purpose } = report.scenario;
    const drill: Drill = {
      ...this.blank(call),
      name,
      purpose,
      state: 'ended',
      mostCalls: 0,
      startedBy: person,
      startedAt: new Date(report.startedAt),
      overAt: new Date(report.endedAt),
      why: 'ran on a system of its own',
    };
    await this.store.transaction(async (tx) => {
      await this.store.insert(tx, drill);
      await this.keepReport(tx, drill, report, call);
    });
    return this.get(drill.id);
  }

  /**
   * The signature of a person who neither proposed nor ran it (Regulation (EU) 2022/2554 Article 24(4): testers without a conflict of
   * interest).
   * @throws ProblemError `approval-required`, `conflict` when there is no report, another one, or a signature already
   */
  async sign(call: Call, id: string, { digest, verdict, remark }: SignBody): Promise<DrillView> {
    const { id: person } = administratorOf(call);
    return this.change(id, async (tx, drill) => {
      if (drill.reportDigest === null) throw conflict('There is no report to sign yet.');
      if (drill.signedBy !== null) throw conflict('The report is signed already.');
      if ([drill.proposedBy, drill.startedBy].includes(person)) throw anotherPerson('drill.signed-by-runner');
      if (drill.reportDigest.toString('hex') !== digest) throw conflict('The report is not the one that was read.');
      const signed = { signedBy: person, signedAt: this.clock.now(), verdict, remark: remark ?? null };
      await this.store.update(tx, id, signed);
      await this.records.tell(tx, call, 'drill.signed', drill, { digest, verdict });
    });
  }

  private get needsApproval(): boolean {
    return this.config.drills.approval === 'always' || this.config.database.url !== undefined;
  }

  private async over(tx: Tx, drill: Drill, event: DrillEvent, why: string, call: Call | undefined): Promise<void> {
    const now = this.clock.now();
    const over: Drill = {
      ...drill,
      state: moved(drill, event),
      overAt: now,
      why,
      stoppedBy: call === undefined ? null : administratorOf(call).id,
    };
    const { state, overAt, stoppedBy } = over;
    await this.store.update(tx, drill.id, { state, overAt, why, stoppedBy });
    const counts = await this.store.counts(drill.id);
    await this.records.tell(tx, call, 'drill.over', over, { why, ...counts });
    if (drill.startedAt !== null) await this.keepReport(tx, over, observedReport(over, counts), call);
  }

  private async keepReport(tx: Tx, drill: Drill, report: DrillReport, call: Call | undefined): Promise<void> {
    const text = JSON.stringify(report);
    const reportDigest = createHash('sha256').update(text).digest();
    await this.store.update(tx, drill.id, { report: text, reportDigest, reportedAt: this.clock.now() });
    const detail = { digest: reportDigest.toString('hex'), passed: report.passed, place: report.place };
    await this.records.tell(tx, call, 'drill.reported', drill, detail);
  }

  private async change(id: string, work: (tx: Tx, drill: Drill) => Promise<void>): Promise<DrillView> {
    await this.store.transaction(async (tx) => work(tx, await this.store.hold(tx, id)));
    return this.get(id);
  }

  private async view(drill: Drill): Promise<DrillView> {
    return drillView(drill, await this.store.counts(drill.id));
  }

  private blank(call: Call): Omit<Drill, 'name' | 'purpose' | 'mostCalls'> {
    const now = this.clock.now();
    return {
      id: uuidv7(now.getTime()),
      state: 'proposed',
      plan: null,
      granted: 0,
      proposedBy: administratorOf(call).id,
      proposedAt: now,
      approvedBy: null,
      approvedAt: null,
      startedBy: null,
      startedAt: null,
      endsAt: null,
      stoppedBy: null,
      overAt: null,
      why: null,
      report: null,
      reportDigest: null,
      reportedAt: null,
      signedBy: null,
      signedAt: null,
      verdict: null,
      remark: null,
    };
  }
}

function moved(drill: Drill, event: DrillEvent): Drill['state'] {
  const state = next(drill.state, event);
  if (state === undefined) throw conflict(`A drill that is ${drill.state} does not take this.`);
  return state;
}

function conflict(detail: string): ProblemError {
  return new ProblemError('conflict', { detail, rule: 'drill.state' });
}

function anotherPerson(rule: string): ProblemError {
  return new ProblemError('approval-required', { rule });
}
