import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '../../platform/index.js';
import type { WrittenDefinition } from './definition.js';
import type { WorkflowState } from './workflow-states.js';

export interface WorkflowRow {
  name: string;
  version: number;
  state: WorkflowState;
  /** Counts the changes of this version: its entity tag. */
  revision: number;
  source: 'seed' | 'file' | 'admin';
  definition: WrittenDefinition;
  createdAt: Date;
  updatedAt: Date;
  publishedAt: Date | null;
  retiredAt: Date | null;
}

export interface WorkflowFilter {
  name: string | undefined;
  state: WorkflowState | undefined;
  /** Past this one, in the order of the list. */
  after: { name: string; version: number } | undefined;
  limit: number;
}

const COLUMNS = `name, version, state, revision, source, definition, created_at AS "createdAt", updated_at AS "updatedAt",
  published_at AS "publishedAt", retired_at AS "retiredAt"`;
const LOCK_NAMES = `SELECT pg_advisory_xact_lock(hashtextextended('gatehouse/workflows', 1713))`;

/** The table of workflows. */
@Injectable()
export class WorkflowStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  /** One who numbers or publishes at a time: numbers have no gaps, and no two are published of one name. */
  async lock(tx: Tx): Promise<void> {
    await tx.query(LOCK_NAMES);
  }

  async nextVersion(tx: Tx, name: string): Promise<number> {
    const [row] = await tx.query<{ next: number }[]>(
      'SELECT coalesce(max(version), 0) + 1 AS next FROM orchestration.workflows WHERE name = $1',
      [name],
    );
    return row?.next ?? 1;
  }

  async insert(tx: Tx, row: WorkflowRow): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.workflows (name, version, state, revision, source, definition, created_at, updated_at, published_at,
         retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        row.name,
        row.version,
        row.state,
        row.revision,
        row.source,
        JSON.stringify(row.definition),
        row.createdAt,
        row.updatedAt,
        row.publishedAt,
        row.retiredAt,
      ],
    );
  }

  async update(tx: Tx, row: WorkflowRow): Promise<void> {
    await tx.query(
      `UPDATE orchestration.workflows SET state = $3, revision = $4, definition = $5, updated_at = $6, published_at = $7,
         retired_at = $8 WHERE name = $1 AND version = $2`,
      [
        row.name,
        row.version,
        row.state,
        row.revision,
        JSON.stringify(row.definition),
        row.updatedAt,
        row.publishedAt,
        row.retiredAt,
      ],
    );
  }

  async find(name: string, version: number): Promise<WorkflowRow | undefined> {
    const [row] = await this.database.query<WorkflowRow>(
      `SELECT ${COLUMNS} FROM orchestration.workflows WHERE name = $1 AND version = $2`,
      [name, version],
    );
    return row;
  }

  async hold(tx: Tx, name: string, version: number): Promise<WorkflowRow | undefined> {
    const [row] = await tx.query<WorkflowRow[]>(
      `SELECT ${COLUMNS} FROM orchestration.workflows WHERE name = $1 AND version = $2 FOR UPDATE`,
      [name, version],
    );
    return row;
  }

  async holdPublished(tx: Tx, name: string): Promise<WorkflowRow | undefined> {
    const [row] = await tx.query<WorkflowRow[]>(
      `SELECT ${COLUMNS} FROM orchestration.workflows WHERE name = $1 AND state = 'published' FOR UPDATE`,
      [name],
    );
    return row;
  }

  /** Version of each name that is published. */
  async published(): Promise<Map<string, number>> {
    const rows = await this.database.query<{ name: string; version: number }>(
      `SELECT name, version FROM orchestration.workflows WHERE state = 'published'`,
    );
    return new Map(rows.map(({ name, version }) => [name, version]));
  }

  /** By name, newest version first. */
  page({ name, state, after, limit }: WorkflowFilter): Promise<WorkflowRow[]> {
    return this.database.query<WorkflowRow>(
      `SELECT ${COLUMNS} FROM orchestration.workflows
        WHERE ($1::text IS NULL OR name = $1) AND ($2::text IS NULL OR state = $2)
          AND ($3::text IS NULL OR name > $3 OR (name = $3 AND version < $4))
        ORDER BY name, version DESC LIMIT $5`,
      [name ?? null, state ?? null, after?.name ?? null, after?.version ?? null, limit],
    );
  }
}
