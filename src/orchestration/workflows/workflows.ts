import { Injectable } from '@nestjs/common';
import { type Call, ProblemError, type Tx } from '../../platform/index.js';
import { stepName } from './conditions.js';
import type { WrittenDefinition } from './definition.js';
import type { DraftBody, WorkflowListQuery } from './schemas.js';
import { WorkflowCatalogue } from './workflow-catalogue.js';
import { type WorkflowRow, WorkflowStore } from './workflow-store.js';
import { type WorkflowView, workflowView } from './workflow-views.js';
import { WorkflowWriter } from './workflow-writer.js';

/** Workflows as administrators see and change them. */
@Injectable()
export class Workflows {
  constructor(
    private readonly store: WorkflowStore,
    private readonly writer: WorkflowWriter,
    private readonly catalogue: WorkflowCatalogue,
  ) {}

  /** By name, newest version first. @throws ProblemError `invalid-cursor` */
  async list({
    name,
    state,
    limit,
    cursor,
  }: WorkflowListQuery): Promise<{ items: WorkflowView[]; nextCursor: string | null }> {
    const rows = await this.store.page({
      name,
      state,
      after: cursor === undefined ? undefined : placeOf(cursor),
      limit: limit + 1,
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      items: rows.slice(0, limit).map(workflowView),
      nextCursor: last === undefined ? null : Buffer.from(`${last.name} ${last.version}`).toString('base64url'),
    };
  }

  /** @throws ProblemError `not-found` */
  async get(name: string, version: string): Promise<WorkflowView> {
    const number = numberOf(name, version);
    const row = number === undefined ? undefined : await this.store.find(name, number);
    if (row === undefined) throw unknown();
    return workflowView(row);
  }

  /** The next version of that name. @throws ProblemError `invalid-request` with a pointer for each fault */
  async draft(call: Call, { name, definition }: DraftBody): Promise<WorkflowView> {
    return this.store.transaction(async (tx) => {
      await this.store.lock(tx);
      return workflowView(await this.writer.draft(tx, { source: 'admin', call }, name, definition));
    });
  }

  /** @throws ProblemError `not-found`, `version-conflict`, `conflict`, `invalid-request` */
  change(
    call: Call,
    name: string,
    version: string,
    definition: WrittenDefinition,
    revision: number | undefined,
  ): Promise<WorkflowView> {
    return this.act(name, version, revision, (tx, row) =>
      this.writer.change(tx, { source: 'admin', call }, row, definition),
    );
  }

  /** @throws as `change` */
  publish(call: Call, name: string, version: string, revision: number | undefined): Promise<WorkflowView> {
    return this.act(name, version, revision, (tx, row) => this.writer.publish(tx, { source: 'admin', call }, row));
  }

  /** @throws as `change` */
  retire(call: Call, name: string, version: string, revision: number | undefined): Promise<WorkflowView> {
    return this.act(name, version, revision, (tx, row) => this.writer.retire(tx, { source: 'admin', call }, row));
  }

  private async act(
    name: string,
    version: string,
    revision: number | undefined,
    work: (tx: Tx, row: WorkflowRow) => Promise<WorkflowRow>,
  ): Promise<WorkflowView> {
    const number = numberOf(name, version);
    if (number === undefined) throw unknown();
    const row = await this.store.transaction(async (tx) => {
      await this.store.lock(tx);
      const held = await this.store.hold(tx, name, number);
      if (held === undefined) throw unknown();
      if (held.revision !== revision) throw new ProblemError('version-conflict', { rule: 'workflow.revision' });
      return work(tx, held);
    });
    this.catalogue.forget();
    return workflowView(row);
  }
}

/** Undefined for what no version of a workflow can be called. */
function numberOf(name: string, version: string): number | undefined {
  return stepName().safeParse(name).success && /^[1-9]\d{0,8}$/.test(version) ? Number(version) : undefined;
}

function placeOf(cursor: string): { name: string; version: number } {
  const [name = '', version = ''] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const number = numberOf(name, version);
  if (number === undefined) throw new ProblemError('invalid-cursor');
  return { name, version: number };
}

function unknown(): ProblemError {
  return new ProblemError('not-found', { rule: 'workflow.unknown' });
}
