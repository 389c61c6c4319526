import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { type AdminCaller, type Call, Clock, ProblemError, type Tx, uuidv7 } from '../../platform/index.js';
import { checkDefinition } from './checker.js';
import { definitionSchema, type WrittenDefinition } from './definition.js';
import { WorkflowStore, type WorkflowRow } from './workflow-store.js';
import { WORKFLOW_TRANSITIONS, type WorkflowEvent } from './workflow-states.js';

/** Who acts: an administrator in a call, or the gateway on behalf of its settings. */
export interface WorkflowActor {
  source: WorkflowRow['source'];
  call?: Call;
}

type Act = 'drafted' | 'changed' | WorkflowEvent;

/** Writes workflows: each act and its record are one transaction. */
@Injectable()
export class WorkflowWriter {
  constructor(
    private readonly store: WorkflowStore,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** The next version of that name, under the lock on all. */
  async draft(tx: Tx, actor: WorkflowActor, name: string, definition: WrittenDefinition): Promise<WorkflowRow> {
    refuseUnsound(definition, '/definition');
    const now = this.clock.now();
    const row: WorkflowRow = {
      name,
      version: await this.store.nextVersion(tx, name),
      state: 'draft',
      revision: 1,
      source: actor.source,
      definition,
      createdAt: now,
      updatedAt: now,
      publishedAt: null,
      retiredAt: null,
    };
    await this.store.insert(tx, row);
    await this.tell(tx, actor, 'drafted', row);
    return row;
  }

  /** @throws ProblemError `conflict` for what is no draft any more */
  async change(tx: Tx, actor: WorkflowActor, row: WorkflowRow, definition: WrittenDefinition): Promise<WorkflowRow> {
    if (row.state !== 'draft') throw conflict(row, 'changed');
    refuseUnsound(definition, '/definition');
    const changed = { ...row, definition, revision: row.revision + 1, updatedAt: this.clock.now() };
    await this.store.update(tx, changed);
    await this.tell(tx, actor, 'changed', changed);
    return changed;
  }

  /** In place of the version that was published before, under the lock on all. @throws ProblemError `conflict`, `invalid-request` */
  async publish(tx: Tx, actor: WorkflowActor, row: WorkflowRow): Promise<WorkflowRow> {
    // What was sound when it was drafted need not be under a later version of this gateway.
    refuseUnsound(row.definition, '/definition');
    const before = await this.store.holdPublished(tx, row.name);
    if (before !== undefined && row.state === 'draft') await this.happen(tx, actor, before, 'superseded');
    return this.happen(tx, actor, row, 'published');
  }

  /** @throws ProblemError `conflict` */
  retire(tx: Tx, actor: WorkflowActor, row: WorkflowRow): Promise<WorkflowRow> {
    return this.happen(tx, actor, row, 'retired');
  }

  private async happen(tx: Tx, actor: WorkflowActor, row: WorkflowRow, event: WorkflowEvent): Promise<WorkflowRow> {
    const state = WORKFLOW_TRANSITIONS[row.state][event];
    if (state === undefined) throw conflict(row, event);
    const now = this.clock.now();
    const moved: WorkflowRow = {
      ...row,
      state,
      revision: row.revision + 1,
      updatedAt: now,
      ...(state === 'published' ? { publishedAt: now } : { retiredAt: now }),
    };
    await this.store.update(tx, moved);
    await this.tell(tx, actor, event, moved, row.state);
    return moved;
  }

  private async tell(
    tx: Tx,
    { call, source }: WorkflowActor,
    act: Act,
    row: WorkflowRow,
    from?: string,
  ): Promise<void> {
    const now = this.clock.now();
    const administrator = call?.caller as AdminCaller | undefined;
    await this.auditLog.appendIn(tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'admin.act',
      call: call?.id,
      trace: call?.traceId,
      actor: administrator?.id ?? 'gateway',
      credential: administrator?.tokenId,
      detail: {
        act: `workflow.${act}`,
        workflow: row.name,
        version: row.version,
        revision: row.revision,
        state: row.state,
        from,
        source,
      },
    });
  }
}

function refuseUnsound(definition: WrittenDefinition, base: string): void {
  const errors = checkDefinition(definitionSchema.parse(definition));
  if (errors.length > 0)
    throw new ProblemError('invalid-request', {
      errors: errors.map(({ pointer, message }) => ({ pointer: `${base}${pointer}`, message })),
      rule: 'workflow.unsound',
    });
}

function conflict(row: WorkflowRow, event: string): ProblemError {
  return new ProblemError('conflict', {
    detail: `This version is ${row.state} and cannot be ${event} any more.`,
    rule: 'workflow.state',
  });
}
